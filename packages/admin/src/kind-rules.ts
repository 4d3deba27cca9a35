import { duplicateCredential, duplicatePlugin } from './duplicates.ts';
import type { FindDuplicate } from './duplicates.ts';

/** How the endpoints of a kind differ from those of the others. A kind without a row here has the defaults. */
export interface KindRules {
  /** Answered with 405. Default none. */
  readonly refused: readonly string[];
  /** The fields that `?filter=` may compare. Default none. */
  readonly filterFields: readonly string[];
  /** The word after the kind's in a refused deletion: `can not delete this service directly, …`. Default none. */
  readonly refusal: string;
  /** Fields that no answer shows. Default none. */
  readonly hidden: readonly string[];
  /** Where PUT finds the id: in the path or the body, in the path alone, or in `username`. Default `either`. */
  readonly idFrom: 'either' | 'path' | 'username';
  /** Is the id a member of the stored document? Default true. */
  readonly isIdStored: boolean;
  /** Are the times of creation and update? Default true. */
  readonly hasTimes: boolean;
  /** What to say when there is no id. Default `missing <word> id`. */
  readonly missingId: string | undefined;
  /** How many segments an id has. Default 1. */
  readonly idSegments: number;
  /** Segment of the kind that lives below this one and goes with it. Default none. */
  readonly below: string | undefined;
  /** Segment of the kind that this one lives below. Default none. */
  readonly above: string | undefined;
  /** What else must not be there already. Default: anything may be. */
  readonly duplicate: FindDuplicate | undefined;
  /** Has it a schema of its own, for `schema/…`? If not, plugins or managers have theirs. Default true. */
  readonly hasSchema: boolean;
  /** How it is called as one that uses an upstream in a plugin. Default the kind's name. */
  readonly userName: string | undefined;
}

const defaults: KindRules = {
  refused: [],
  filterFields: [],
  refusal: '',
  hidden: [],
  idFrom: 'either',
  isIdStored: true,
  hasTimes: true,
  missingId: undefined,
  idSegments: 1,
  below: undefined,
  above: undefined,
  duplicate: undefined,
  hasSchema: true,
  userName: undefined,
};

const bySegment: Readonly<Record<string, Partial<KindRules>>> = {
  routes: { filterFields: ['service_id', 'upstream_id'] },
  services: { refusal: ' directly' },
  ssls: { hidden: ['key', 'keys'] },
  stream_routes: { refused: ['PATCH'], filterFields: ['service_id', 'upstream_id'], refusal: ' directly' },
  protos: { refused: ['PATCH'] },
  plugin_configs: { refused: ['POST'] },
  global_rules: { refused: ['POST'], duplicate: duplicatePlugin, userName: 'global_rules' },
  consumer_groups: { refused: ['POST'] },
  consumers: {
    refused: ['POST', 'PATCH'],
    idFrom: 'username',
    isIdStored: false,
    below: 'credentials',
    duplicate: duplicateCredential,
  },
  credentials: { refused: ['POST', 'PATCH'], above: 'consumers', duplicate: duplicateCredential },
  plugin_metadata: {
    refused: ['POST', 'PATCH'],
    idFrom: 'path',
    isIdStored: false,
    hasTimes: false,
    missingId: 'missing plugin name',
    hasSchema: false,
  },
  secrets: {
    refused: ['POST'],
    idFrom: 'path',
    missingId: 'no secret id',
    idSegments: 2,
    hasSchema: false,
  },
};

export function rulesFor(segment: string): KindRules {
  return { ...defaults, ...bySegment[segment] };
}
