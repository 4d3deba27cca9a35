import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkResource, settingsFrom, streamRouteKind } from '@apisix-ts/config';
import type { SettingsInput } from '@apisix-ts/config';
import { checkContextOf } from '@apisix-ts/runtime';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blocksOf, root } from '../../testbed/docs/page.ts';

const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].map((page) => ({
  page,
  markdown: readFileSync(join(root, page), 'utf8'),
}));

function examples(language: string): { readonly place: string; readonly text: string }[] {
  return pages.flatMap(({ page, markdown }) =>
    blocksOf(markdown, language).map(({ line, text }) => ({ place: `${page}:${line}`, text })),
  );
}

describe('an example', () => {
  // Answers that are shown in part have the sign for what is left out.
  test.for(examples('json').filter(({ text }) => !text.includes('…')))(
    'of JSON is JSON: $place',
    ({ text }) => {
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    },
  );

  test.for(examples('yaml').filter(({ text }) => /^(apisix|deployment|nginx_config|discovery):/.test(text)))(
    'of config.yaml is good: $place',
    ({ text }) => {
      const settings: SettingsInput = parse(text);

      expect(() => settingsFrom(settings)).not.toThrow();
    },
  );
});

describe('what you can say, in the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| ([^|`]+) \| `(\{.*\})` \|$/gm)];

  test('is a handful of lines', () => {
    expect(rows.length).toBeGreaterThan(3);
  });

  test.for(rows.map(([, want = '', body = '']) => ({ want, body })))('is a route: $want', ({ body }) => {
    const context = checkContextOf(settingsFrom({}));

    expect(checkResource(streamRouteKind, JSON.parse(body), context)).toMatchObject({ ok: true });
  });
});
