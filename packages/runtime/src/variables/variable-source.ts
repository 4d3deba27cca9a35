import type { IpAddresses } from '@apisix-ts/core';
import type { TlsFacts } from '@apisix-ts/transport';
import type { SessionReason } from '../data-plane/session-reason.ts';

/** A session as variables see it, under way or over. Members are read when a variable is asked for, and not before. */
export interface VariableSource {
  readonly transport: 'tcp' | 'udp';
  /** Among all that its worker ever had, from 1. */
  readonly number: number;
  readonly listenerName: string;
  /** The client, as a believed PROXY header has it, otherwise the peer. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The peer of the connection. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** What a PROXY header says, believed or not; undefined: there is none, or it names no addresses. */
  readonly proxied: Pick<IpAddresses, 'source' | 'destination'> | undefined;
  /** Of the ClientHello, where it is read. */
  readonly serverName: string | undefined;
  readonly alpn: readonly string[] | undefined;
  /** Of TLS that ended here. */
  readonly tls: TlsFacts | undefined;
  readonly route:
    | { readonly id: string; readonly name: string | undefined; readonly serviceId: string | undefined }
    | undefined;
  readonly serviceName: string | undefined;
  /** Bytes from and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** So far, or of all. */
  readonly durationMs: number;
  /** The endpoints of the nodes that were tried, the last one being the one that serves. */
  readonly attempts: readonly string[];
  /** The node of the last attempt. */
  readonly attemptedNode: { readonly address: string; readonly port: number } | undefined;
  /** Undefined: no connection to a node came about. */
  readonly upstreamTransfer: UpstreamTransfer | undefined;
  /** What plugins have set. */
  readonly ownVariables: ReadonlyMap<string, string> | undefined;
  /** Undefined: it is under way. */
  readonly ending: SessionEnding | undefined;
}

/** What passed between here and a node. */
export interface UpstreamTransfer {
  readonly connectMs: number;
  /** From the attempt to connect on. */
  readonly sessionMs: number;
  /** Bytes from and to the node. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface SessionEnding {
  readonly reason: SessionReason;
  /** 200 for a session that ended as it should, otherwise the status of the error. */
  readonly status: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}
