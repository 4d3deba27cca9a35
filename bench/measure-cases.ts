import { availableParallelism } from 'node:os';
import { cases } from './cases/index.ts';
import { describeMachine } from './machine.ts';
import type { Options } from './options.ts';
import { Workbench } from './programs/workbench.ts';
import { toMarkdown } from './report.ts';

/** Runs the cases one after the other, each on a workbench of its own, and prints what they found. */
export async function measure({ cases: names, isQuick }: Options, command: string): Promise<void> {
  process.stdout.write(
    `${toMarkdown({ title: 'Machine', notes: [], tables: [describeMachine(command)] })}\n`,
  );
  if (availableParallelism() < 2) {
    process.stdout.write('The machine has one CPU: proxy and load share it, and rates mean little.\n\n');
  }
  for (const name of names) {
    process.stderr.write(`measuring ${name} …\n`);
    const workbench = new Workbench();
    const interrupt = (): void => void workbench.close().then(() => process.exit(130));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      for (const section of await cases[name](workbench, isQuick)) {
        process.stdout.write(`${toMarkdown(section)}\n`);
      }
    } finally {
      await workbench.close();
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  }
}
