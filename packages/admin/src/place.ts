/** What a path below `/apisix/admin` points to. */
export interface Place {
  /** Which endpoints serve it: a kind's segment, or `consumers/credentials` for a kind below another. */
  readonly endpoint: string;
  /** Where the store keeps it, without the id. */
  readonly directory: string;
  /** Undefined: all of the directory. */
  readonly id: string | undefined;
  /** Of a member within the resource. */
  readonly subPath: readonly string[];
}

/** @returns undefined for the root. */
export function placeOf(path: readonly string[]): Place | undefined {
  const [segment, id, third, ...rest] = path[0] === 'schema' && path[1] === 'plugins' ? path.slice(1) : path;
  if (segment === undefined) return undefined;
  if (segment === 'consumers' && third === 'credentials') {
    const [credential, ...subPath] = rest;
    return {
      endpoint: 'consumers/credentials',
      directory: `consumers/${id}/credentials`,
      id: credential,
      subPath,
    };
  }
  // A kind below services that is not served; without this line its paths would be those of the services.
  if (segment === 'services' && third === 'graphql_cost_decorations') {
    return { endpoint: third, directory: `services/${id}/${third}`, id: rest[0], subPath: [] };
  }
  if (segment === 'secrets' && id !== undefined) {
    return third === undefined
      ? { endpoint: segment, directory: `secrets/${id}`, id: undefined, subPath: [] }
      : { endpoint: segment, directory: segment, id: `${id}/${third}`, subPath: rest };
  }
  return { endpoint: segment, directory: segment, id, subPath: third === undefined ? [] : [third, ...rest] };
}
