export interface MysqlAddress {
  /** An address of the loopback range. */
  readonly host: string;
  /** 3306, unless something holds that port on every address of the machine. */
  readonly port: number;
}

/** The one account, allowed from everywhere. */
export const account = { user: 'root', password: 'mysql-of-the-tests' } as const;

/** What every server is started with, whatever its kind. */
export function serverOptions({ host, port }: MysqlAddress): readonly string[] {
  return [
    `--bind-address=${host}`,
    `--port=${port}`,
    '--skip-name-resolve',
    '--max-allowed-packet=128M',
    '--max-connections=300',
  ];
}
