import type { Document } from '@apisix-ts/config';

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
  /** Why a resource that exists cannot be named by others. Default: it always can. */
  readonly unfit: (document: Document) => string | undefined;
}

const defaults: KindRules = {
  refused: [],
  filterFields: [],
  refusal: '',
  hidden: [],
  unfit: () => undefined,
};

const bySegment: Readonly<Record<string, Partial<KindRules>>> = {
  services: { refusal: ' directly' },
  ssls: {
    hidden: ['key', 'keys'],
    unfit: ({ type }) => (type === 'client' ? undefined : 'wrong ssl type'),
  },
  stream_routes: { refused: ['PATCH'], filterFields: ['service_id', 'upstream_id'], refusal: ' directly' },
};

export function rulesFor(segment: string): KindRules {
  return { ...defaults, ...bySegment[segment] };
}
