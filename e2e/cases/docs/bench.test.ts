import { expect, test } from 'vitest';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { runOrFail } from '../../testbed/process.ts';
import { pathWithTools, root } from '../../testbed/published.ts';

test('the benchmarks tell what they measure, and what the machine has for it', async () => {
  await runHandedOver(import.meta.filename, 'docs/benchmarks.md', async (next) => {
    const seen = await runOrFail('sh', ['-ec', next()], { cwd: root, env: { PATH: pathWithTools() } });

    for (const name of ['proxy', 'routes', 'apply', 'changes', 'plugins', 'scrape']) {
      expect(seen).toContain(`\n| ${name} | `);
    }
    expect(seen).toMatch(/\| nginx \| \d/);
  });
});
