export { parseYaml, writeYaml } from './plain-yaml.ts';
