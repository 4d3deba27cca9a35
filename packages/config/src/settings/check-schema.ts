import { isMap } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import { compileSchema, findFaults } from '../validate/index.ts';
import type { JsonSchema } from '../validate/index.ts';
import { roleOf } from './deployment.ts';
import { deploymentSchemas } from './schema-deployment.ts';
import { discoverySchemas } from './schema-discovery.ts';
import { mainSchema } from './schema-main.ts';

/** Checks merged settings as the reference does, but finds one problem for each key where it stops at the first. */
export function checkSchema(merged: Readonly<Record<string, unknown>>): {
  /** The settings; an empty list where an empty map stood for one, and the other way round. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
} {
  const main = check(merged, mainSchema, 'failed to validate config: ', []);
  const discovery = checkDiscovery(main.value['discovery']);
  const role = roleOf(merged);
  const deployment = check(
    main.value['deployment'],
    deploymentSchemas[role],
    `invalid deployment ${role} configuration: `,
    ['deployment'],
  );
  return {
    value: { ...main.value, ...discovery.value, deployment: deployment.value },
    problems: [...main.problems, ...discovery.problems, ...deployment.problems],
  };
}

/** A null in place of a discovery, or of all of them, is none. */
function checkDiscovery(found: unknown): ReturnType<typeof checkSchema> {
  if (!isMap(found)) return { value: {}, problems: [] };
  const value: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [name, conf] of Object.entries(found)) {
    const schema = discoverySchemas[name];
    const result =
      schema && check(conf, schema, `invalid discovery ${name} configuration: `, ['discovery', name]);
    value[name] = result?.value ?? conf;
    problems.push(...(result?.problems ?? []));
  }
  return { value: { discovery: value }, problems };
}

function check(
  value: unknown,
  schema: JsonSchema,
  prefix: string,
  base: KeyPath,
): ReturnType<typeof checkSchema> {
  const whole = compileSchema(schema)(value);
  if (whole.ok && isMap(whole.value)) return { value: whole.value, problems: [] };

  const problems = findFaults(schema, value).map((fault): Problem => {
    const expected = describe(schema, fault.path) ?? fault.expected;
    return {
      code: 'SETTINGS_INVALID',
      text: prefix + fault.message,
      path: [...base, ...fault.path],
      ...(expected === undefined ? {} : { expected }),
    };
  });
  return { value: isMap(value) ? value : {}, problems };
}

/** The description in the schema for a path. */
function describe(schema: JsonSchema, path: KeyPath): string | undefined {
  let at: unknown = schema;
  for (const step of path) {
    if (!isMap(at)) return undefined;
    const { properties } = at;
    if (typeof step === 'number') at = at['items'];
    else at = isMap(properties) ? properties[step] : undefined;
  }
  return isMap(at) && typeof at['description'] === 'string' ? at['description'] : undefined;
}
