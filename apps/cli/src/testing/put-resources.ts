import { createControlClient } from '../control-client.ts';

export interface ApiPorts {
  readonly admin: number;
  readonly control: number;
}

/** Writes new resources through the Admin API, by their paths, and waits until every worker has them in effect. */
export async function putResources(
  { admin, control }: ApiPorts,
  resources: Readonly<Record<string, object>>,
): Promise<void> {
  let revision = 0;
  for (const [path, document] of Object.entries(resources)) {
    const url = `http://127.0.0.1:${admin}/apisix/admin/${path}`;
    const { status } = await fetch(url, { method: 'PUT', body: JSON.stringify(document) });
    if (status !== 201) throw new Error(`expected ${path} to be made, found the status ${status}`);
    revision = Object(await (await fetch(url)).json()).modifiedIndex;
  }
  const client = createControlClient(`http://127.0.0.1:${control}`);
  const isApplied = async (): Promise<boolean> =>
    Object(await client.ask({ path: '/v1/config/status' })).applied_revision >= revision;
  while (!(await isApplied()));
}
