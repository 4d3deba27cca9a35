import type { Settings } from '@apisix-ts/config';
import { NameWatcher, createDnsLookup, createServiceLookup } from '@apisix-ts/discovery';
import type { DnsLookupOptions, Endpoint, Lookup, ServiceLookupOptions } from '@apisix-ts/discovery';
import type { NameKind } from './facts/compile.ts';
import type { Log } from './log.ts';

export interface NamesOptions {
  /** Finds the addresses of hosts. Undefined: the hosts file and DNS, as the settings say. */
  readonly lookup: Lookup | undefined;
  /** The addresses of a name are others than before. */
  readonly onChange: (kind: NameKind, name: string) => void;
  readonly log: Log;
}

/** The names that upstreams use. */
export interface Names {
  readonly hosts: NameWatcher;
  /** Undefined: there is no discovery by DNS. */
  readonly services: NameWatcher<Endpoint> | undefined;
  /** Forgets them all. */
  close(): void;
}

export function followNames(settings: Settings, { lookup, onChange, log }: NamesOptions): Names {
  function watch<Address>(kind: NameKind, find: Lookup<Address>): NameWatcher<Address> {
    return new NameWatcher({
      lookup: find,
      onChange: (name, addresses) => {
        log('notice', `a ${titles[kind]} has new addresses`, { name, addresses });
        onChange(kind, name);
      },
      onFailure: (name, error, addresses) => {
        log('error', `a ${titles[kind]} could not be resolved`, {
          name,
          code: error.code,
          reason: error.message,
          still_serving: addresses,
        });
      },
    });
  }

  const hosts = watch('host', lookup ?? createDnsLookup(hostOptions(settings)));
  const options = serviceOptions(settings);
  const services = options && watch('service', createServiceLookup(options));
  return {
    hosts,
    services,
    close() {
      hosts.close();
      services?.close();
    },
  };
}

const titles: Readonly<Record<NameKind, string>> = { host: 'node name', service: 'service name' };

/** How the hosts among nodes are looked up. */
export function hostOptions({ apisix }: Settings): DnsLookupOptions {
  return {
    ipv6: apisix.enable_ipv6,
    timeoutMs: apisix.resolver_timeout * 1000,
    ...(apisix.dns_resolver === undefined ? {} : { servers: apisix.dns_resolver }),
    ...(apisix.dns_resolver_valid === undefined ? {} : { validSeconds: apisix.dns_resolver_valid }),
    ...(apisix.enable_resolv_search_opt ? {} : { search: [] }),
  };
}

/** How services are looked up; their answers keep their own TTLs. Undefined: there is no discovery by DNS. */
export function serviceOptions({ apisix, discovery }: Settings): ServiceLookupOptions | undefined {
  const dns = discovery?.dns;
  if (dns === undefined) return undefined;
  return {
    ipv6: apisix.enable_ipv6,
    timeoutMs: apisix.resolver_timeout * 1000,
    ...(dns.servers === undefined ? {} : { servers: dns.servers }),
    ...(dns.resolv_conf === undefined ? {} : { resolvConf: dns.resolv_conf }),
    ...(dns.order === undefined ? {} : { order: dns.order }),
  };
}
