import type { CommandContext } from './command.ts';
import { createPaint } from './paint.ts';

/** Names, as wide as the widest, and what there is to say of each; a name that was said before is not said again. */
export function showFacts(
  context: Pick<CommandContext, 'stdout' | 'env'>,
  facts: readonly (readonly [name: string, value: string])[],
): void {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const paint = createPaint(context);
  let before = '';
  for (const [name, value] of facts) {
    const title = name === before ? '' : name;
    before = name;
    context.stdout.write(`${paint.bold(title)}${' '.repeat(width - title.length)}${value}\n`);
  }
}
