import type { FuncKeywordDefinition } from 'ajv';
import { jsonType } from './type-names.ts';

/**
 * `kind: ['object', 'string']` is `type`, with the reference's view of empty tables: `[]` passes for an object and
 * `{}` for an array. The one is then put in the place of the other, so that a checked document has the right one.
 */
export const kindKeyword: FuncKeywordDefinition = {
  keyword: 'kind',
  schemaType: 'array',
  modifying: true,
  errors: false,
  compile(kinds: readonly string[]) {
    const objects = kinds.includes('object');
    const arrays = kinds.includes('array');
    return (value: unknown, place): boolean => {
      if (typeof value !== 'object' || value === null) return isOfKind(value, kinds);
      const isArray = Array.isArray(value);
      if (isArray ? arrays : objects) return true;
      if ((isArray ? !objects : !arrays) || Object.keys(value).length > 0) return false;
      if (place?.parentData !== undefined)
        Reflect.set(place.parentData, place.parentDataProperty, isArray ? {} : []);
      return true;
    };
  },
};

function isOfKind(value: unknown, kinds: readonly string[]): boolean {
  const type = jsonType(value);
  return kinds.includes(type) || (type === 'integer' && kinds.includes('number'));
}
