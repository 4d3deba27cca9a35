export type { ConnectionFields, ConnectionLimits, ConnectionRate } from './connection-fields.ts';
export { parseDurationMs } from './duration.ts';
export { httpListeners, listenerName, streamListeners } from './listeners.ts';
export type { HttpListenerSettings, StreamListenerSettings } from './listeners.ts';
export { readSettings } from './read-settings.ts';
export type { LoadedSettings, ReadSettingsOptions } from './read-settings.ts';
export { settingsFrom } from './settings-from.ts';
export type { SettingsFromOptions, SettingsInput } from './settings-from.ts';
export type * from './settings.ts';
