/** Run in a worker thread: tells the thread that started it which driver it chose. */
import { parentPort } from 'node:worker_threads';
import { TimerWheel } from '@apisix-ts/core';
import { chooseDriver } from '../choose-driver.ts';
import { systemClock } from '../system-clock.ts';

const { driver, fallbackReason } = await chooseDriver('auto', new TimerWheel(systemClock));
parentPort?.postMessage({ name: driver.name, fallbackReason });
