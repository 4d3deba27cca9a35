/** Run with a low descriptor limit: probes a node in each way without a descriptor, and prints what came of it. */
import { closeSync, openSync } from 'node:fs';
import { FakeClock } from '@apisix-ts/testkit';
import { HealthMonitor } from '../health/health-monitor.ts';
import { checksOf } from './checks-of.ts';

const clock = new FakeClock();
const lines: unknown[] = [];
const monitor = new HealthMonitor({
  clock,
  random: () => 0,
  onChange: () => {},
  log: (level, message, fields) => void lines.push({ level, message, ...fields }),
});
for (const type of ['tcp', 'udp', 'http', 'https']) {
  const checks = checksOf({
    active: { type, healthy: {}, unhealthy: { tcp_failures: 1, http_failures: 1 } },
  });
  monitor.follow(type, { checks, nodes: [{ host: 'db.test', address: '127.0.0.1', port: 9 }] });
}

const hoard: number[] = [];
try {
  for (;;) hoard.push(openSync('/dev/null', 'r'));
} catch {
  // None is left, which is what was wanted.
}
for (let second = 0; second < 3; second += 1) {
  clock.advance(1000);
  for (let turns = 0; turns < 50; turns += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
for (const descriptor of hoard) closeSync(descriptor);
const states = Array.from(monitor.status(), ({ type, nodes: [node] }) => ({ type, ...node?.counter }));
console.log(JSON.stringify({ lines, states }));
monitor.close();
