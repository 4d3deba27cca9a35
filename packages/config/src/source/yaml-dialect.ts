import type { ScalarTag, Tags } from 'yaml';

/**
 * How a plain scalar of config.yaml is read: YAML 1.1 as libyaml's Lua binding has it, which is narrower than the
 * YAML 1.1 of the `yaml` package. `y`, `n`, dates, a lone `.` and `e1` are text.
 */
const scalars: readonly ScalarTag[] = [
  bool(true, /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/),
  bool(false, /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/),
  number('int', /^[-+]?0b[01_]+$/, (digits) => Number.parseInt(digits.replace('0b', ''), 2)),
  number('int', /^[-+]?0[0-7_]+$/, (digits) => Number.parseInt(digits, 8)),
  number('int', /^[-+]?0x[\da-fA-F_]+$/, (digits) => Number.parseInt(digits, 16)),
  number('int', /^[-+]?\d[\d_]*$/, Number),
  number('int', /^[-+]?\d[\d_]*(?::[0-5]?\d)+$/, fromBase60),
  number('float', /^[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*$/, fromBase60),
  number('float', /^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?$/, Number),
  number('float', /^[-+]?\.(?:inf|Inf|INF)$/, (text) => (text.startsWith('-') ? -Infinity : Infinity)),
  number('float', /^\.(?:nan|NaN|NAN)$/, () => Number.NaN),
];

const replaced = new Set(['bool', 'int', 'float', 'timestamp', 'binary', 'set', 'omap', 'pairs']);

/** For the `customTags` option of the `yaml` package, with version 1.1. */
export function withDialect(tags: Tags): Tags {
  const kept = tags.filter((tag) => typeof tag === 'string' || !replaced.has(tag.tag.replace(/^.*:/, '')));
  return [...kept, ...scalars];
}

function bool(value: boolean, test: RegExp): ScalarTag {
  return {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test,
    identify: (candidate) => candidate === value,
    resolve: () => value,
  };
}

function number(kind: 'int' | 'float', test: RegExp, read: (digits: string) => number): ScalarTag {
  return {
    tag: `tag:yaml.org,2002:${kind}`,
    default: true,
    test,
    identify: (candidate) => typeof candidate === 'number',
    resolve: (text) => read(text.replaceAll('_', '')),
  };
}

/** `1:30` is 90: what remains of clock times in YAML 1.1. */
function fromBase60(text: string): number {
  const size = text
    .replace(/^[-+]/, '')
    .split(':')
    .reduce((sum, digits) => sum * 60 + Number(digits), 0);
  return text.startsWith('-') ? -size : size;
}
