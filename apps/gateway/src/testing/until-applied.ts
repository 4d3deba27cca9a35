/** Waits until every worker has the revision in effect. */
export async function untilApplied(controlPort: number, revision: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const response = await fetch(`http://127.0.0.1:${controlPort}/v1/config/status`);
    const status: unknown = await response.json();
    if (
      typeof status === 'object' &&
      status !== null &&
      'applied_revision' in status &&
      Number(status.applied_revision) >= revision
    ) {
      return;
    }
  }
  throw new Error(`revision ${revision} was not applied within 60 s`);
}
