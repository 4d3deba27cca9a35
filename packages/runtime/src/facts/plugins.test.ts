import { streamPlugins } from '@apisix-ts/plugins';
import { expect, test } from 'vitest';
import { compilePlugins, pluginFaults } from './plugins.ts';

const enabled = new Map(
  streamPlugins.filter(({ name }) => name === 'ip-restriction').map((plugin) => [plugin.name, plugin]),
);
const configuration = { whitelist: ['192.0.2.1'] };

test('what is at work has its own fields as text, and its filter', () => {
  const filter = [['remote_addr', '==', '192.0.2.1']];

  expect(compilePlugins({ 'ip-restriction': { ...configuration, _meta: { filter } } }, enabled)).toEqual({
    plugins: [{ name: 'ip-restriction', text: '{"whitelist":["192.0.2.1"]}', filter }],
  });
});

test.each([
  ['is switched off', { 'ip-restriction': { ...configuration, _meta: { disable: true } } }],
  ['is not in the list', { 'limit-conn': {} }],
  ['does not exist', { absent: {} }],
])('what %s is not at work', (_, plugins) => {
  expect(compilePlugins(plugins, enabled)).toEqual({});
});

test('says why a plugin has no effect', () => {
  const off = new Map<string, never>();

  expect(pluginFaults({ 'ip-restriction': configuration }, enabled)).toEqual([]);
  expect(pluginFaults({ 'ip-restriction': configuration, absent: {} }, off)).toEqual([
    'plugin "ip-restriction" is not in stream_plugins of config.yaml: it is served without',
    'plugin "absent" is not available: it is served without',
  ]);
});
