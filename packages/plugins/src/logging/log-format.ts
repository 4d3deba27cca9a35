import { splitTemplate } from '@apisix-ts/core';
import type { JsonObject, PluginSession } from '@apisix-ts/core';

/** Objects within objects: deeper ones are left out, as in the reference. */
const MOST_LEVELS = 5;

/** What a member of an entry is for a session; undefined: it is left out. */
type Member = (session: PluginSession) => unknown;

/**
 * Compiles a `log_format`: texts with `$name` and `${name}` in them, and objects of such; everything else stays as it is. A
 * text that is a variable and nothing else is left out where that has no value. Values are texts, as APISIX has nginx's.
 */
export function compileLogFormat(format: JsonObject): (session: PluginSession) => JsonObject {
  const members = compileMembers(format, 1);
  return (session) => evaluate(members, session);
}

function compileMembers(format: JsonObject, level: number): readonly (readonly [string, Member])[] {
  return Object.entries(format).map(([name, value]) => [name, compileMember(value, level)]);
}

function compileMember(value: unknown, level: number): Member {
  if (typeof value === 'string') return compileText(value);
  if (!isObject(value)) return () => value;
  if (level === MOST_LEVELS) return () => undefined;
  const members = compileMembers(value, level + 1);
  return (session) => evaluate(members, session);
}

function compileText(text: string): Member {
  const parts = splitTemplate(text);
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'object') {
    return (session) => session.variable(first.variable)?.toString();
  }
  return (session) =>
    parts.map((part) => (typeof part === 'string' ? part : (session.variable(part.variable) ?? ''))).join('');
}

function evaluate(members: readonly (readonly [string, Member])[], session: PluginSession): JsonObject {
  return Object.fromEntries(members.map(([name, member]) => [name, member(session)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
