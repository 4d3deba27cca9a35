/** For `vi.waitFor`: what has to happen sooner or later, on the slowest machine too. As patient as `expect.poll` here. */
export const eventually: { readonly timeout: number; readonly interval: number } = {
  timeout: 60_000,
  interval: 20,
};
