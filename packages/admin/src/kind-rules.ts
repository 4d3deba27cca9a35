/** How the endpoints of a kind differ from those of the others. A kind without a row here has the defaults. */
export interface KindRules {
  /** Answered with 405. Default none. */
  readonly refused: readonly string[];
  /** The fields that `?filter=` may compare. Default none. */
  readonly filterFields: readonly string[];
  /** The word after the kind's in a refused deletion: `can not delete this service directly, …`. Default none. */
  readonly refusal: string;
}

const defaults: KindRules = { refused: [], filterFields: [], refusal: '' };

const bySegment: Readonly<Record<string, Partial<KindRules>>> = {
  services: { refusal: ' directly' },
  stream_routes: { refused: ['PATCH'], filterFields: ['service_id', 'upstream_id'], refusal: ' directly' },
};

export function rulesFor(segment: string): KindRules {
  return { ...defaults, ...bySegment[segment] };
}
