import { defineConfig } from 'vitest/config';

const source = { conditions: ['@apisix-ts/source'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    pool: 'forks',
    execArgv: ['--conditions=@apisix-ts/source'],
    // No limit here is an expectation: they only end what hangs, on the slowest machine too.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/cases/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          // One may have to build the image of a server first.
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
