import { expect, test } from 'vitest';
import { extraLabels } from './extra-labels.ts';
import { settingsFrom } from './settings-from.ts';
import type { Settings } from './settings.ts';

function read(extra_labels: readonly object[]): Settings {
  // Some of what is tried is what the types forbid.
  const labels = extra_labels as readonly Record<string, string>[];
  return settingsFrom({
    plugin_attr: { prometheus: { metrics: { stream_status: { expire: 60, extra_labels: labels } } } },
  });
}

test('labels have names and variables, in the order of the list', () => {
  const settings = read([{ sni: '$ssl_preread_server_name' }, { from: '$remote_addr' }]);

  expect(extraLabels(settings, 'stream_status')).toEqual([
    { name: 'sni', variable: 'ssl_preread_server_name' },
    { name: 'from', variable: 'remote_addr' },
  ]);
  expect(extraLabels(settings, 'stream_connection_total')).toEqual([]);
});

test.for([
  [[{}], 'expected one pair, a label and a variable, found an empty map'],
  [[{ a: '$x', b: '$y' }], 'expected one pair, a label and a variable'],
  [[{ '1a': '$x' }], 'expected a label of letters, digits and _ that does not begin with a digit or __'],
  [[{ __a: '$x' }], 'expected a label of letters, digits and _ that does not begin with a digit or __'],
  [[{ 'a-b': '$x' }], 'expected a label of letters, digits and _ that does not begin with a digit or __'],
  [[{ node: '$x' }], 'expected a label that the metric does not have yet'],
  [[{ a: '$x' }, { a: '$y' }], 'extra_labels[2].a: expected a label that the metric does not have yet'],
  [[{ a: 'x' }], 'expected a variable such as $route_name, found "x"'],
  [[{ a: 1 }], 'expected a variable such as $route_name'],
] as const)('of %j is said: %s', ([labels, message]) => {
  expect(() => read(labels)).toThrow(message);
});
