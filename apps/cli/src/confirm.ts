import { createInterface } from 'node:readline';

/**
 * Asks the person at the terminal. Ctrl-C and the end of the input are a no.
 * @returns undefined where nobody is there to answer.
 */
export function createConfirm(
  stdin: NodeJS.ReadStream,
  stderr: NodeJS.WriteStream,
): ((question: string) => Promise<boolean>) | undefined {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const lines = createInterface({ input: stdin, output: stderr });
    lines.on('SIGINT', () => resolve(false));
    lines.on('close', () => resolve(false));
    lines.question(`${question} [y/N] `, (answer) => resolve(/^y(es)?$/i.test(answer.trim())));
    const isWanted = await promise;
    lines.close();
    return isWanted;
  };
}
