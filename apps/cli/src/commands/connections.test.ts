import { describe, expect, test } from 'vitest';
import { openBusyGateway } from '../testing/busy-gateway.ts';

describe('connections', () => {
  test('are listed in columns, or as JSON, filtered', async () => {
    const { connect, run, port, nodePort } = await openBusyGateway();
    await connect();
    await connect();

    const all = await run(['connections']);
    expect(all).toMatchObject({ status: 0, stderr: '' });
    const [titles, first, second, ...rest] = all.stdout.split('\n');
    expect(titles).toMatch(/^ID +STATE +CLIENT +LISTENER +ROUTE +NODE +AGE +IDLE +RECEIVED +SENT +SNI$/);
    for (const line of [first, second]) {
      expect(line).toMatch(
        new RegExp(
          `^\\d-\\d +relaying +127\\.0\\.0\\.1:\\d+ +0\\.0\\.0\\.0:${port} +echo +127\\.0\\.0\\.1:${nodePort} +[\\d.]+s +[\\d.]+s +5 +5 +-$`,
        ),
      );
    }
    expect(rest).toEqual(['']);

    const json = await run(['connections', 'list', '--node', `127.0.0.1:${nodePort}`, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ total: 2, connections: [{ route: 'echo' }, {}] });
    expect((await run(['connections', '--older-than', '1h'])).stdout.split('\n')).toHaveLength(2);
    expect((await run(['connections', '--limit', '1'])).stderr).toBe(
      '1 of 2 are shown, the oldest; --limit N shows more\n',
    );
  });

  test('are closed at once by a script', async () => {
    const { connect, run } = await openBusyGateway();
    const [first, second] = [await connect(), await connect()];

    expect(await run(['connections', 'close', '--route', 'echo'])).toEqual({
      status: 0,
      stdout: '2 closed\n',
      stderr: '',
    });

    await Promise.all([first.ended, second.ended]);
    expect((await run(['connections', 'close', '--all', '--json'])).stdout).toBe('{"closed":0}\n');
  });

  test('are closed by a person who says yes', async () => {
    const { connect, run } = await openBusyGateway();
    const connection = await connect();
    const asked: string[] = [];
    const answer = (isWanted: boolean) => ({
      confirm: async (question: string) => {
        asked.push(question);
        return isWanted;
      },
    });

    expect(await run(['connections', 'close', '--all'], answer(false))).toEqual({
      status: 1,
      stdout: '',
      stderr: 'nothing was closed\n',
    });
    expect(JSON.parse((await run(['connections', '--json'])).stdout)).toMatchObject({ total: 1 });
    expect(await run(['connections', 'close', '--all'], answer(true))).toMatchObject({
      stdout: '1 closed\n',
    });
    await connection.ended;
    await run(['connections', 'close', '--all', '--yes'], answer(false));
    // There is nothing left to ask about.
    expect(await run(['connections', 'close', '--all'], answer(false))).toMatchObject({
      status: 0,
      stdout: '0 closed\n',
    });

    expect(asked).toEqual(['close 1 connection?', 'close 1 connection?']);
  });

  test('that cannot be meant are refused', async () => {
    const { run } = await openBusyGateway();

    for (const [line, message] of [
      [['connections', 'close'], 'expected a filter such as --node'],
      [['connections', 'close', '--all', '--route', 'echo'], 'or --all and no filter'],
      [['connections', 'open'], 'expected list or close, found open'],
      [['connections', '--older-than', 'soon'], 'as --older-than, found soon'],
      [['connections', '--client', 'nobody'], 'as client, found nobody'],
    ] as const) {
      expect(await run(line)).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`${message}.*\\(CONTROL_REQUEST_REFUSED\\)\n$`)),
      });
    }
  });
});
