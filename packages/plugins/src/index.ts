export { streamPlugins } from './stream-plugins.ts';
