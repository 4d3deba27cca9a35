import type { Backends } from '../load/load-generator.ts';
import type { Workbench } from '../programs/workbench.ts';

/** A proxy that runs, with one worker, on a CPU of its own. */
export interface RunningProxy {
  /** Of the process; its children belong to it. */
  readonly pid: number;
  /** Leads to the echo servers in turn. */
  readonly echoPort: number;
  /** Leads to the sink. */
  readonly sinkPort: number;
  /** On UDP, leads to the echo server of datagrams; absent: it does not speak UDP. */
  readonly datagramPort?: number;
}

export interface ProxyKind {
  readonly name: string;
  /** What a Debian machine has to install to have it; undefined: it is there. */
  readonly missing: string | undefined;
  start(workbench: Workbench, backends: Backends, cpu: number): Promise<RunningProxy>;
}
