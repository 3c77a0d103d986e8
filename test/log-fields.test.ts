import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** The beginning of a call of a log: `log.info(`, `deps.log?.warn(`, `log[away ? 'warn' : 'error'](`. */
const call = /\blog\??(?:\.(?:trace|debug|info|warn|error|fatal)|\.?\[[^\]\n]+\])\(/g;

/** The text from an opening brace to its closing one, without both. Throws where there is none. */
function inside(source: string, from: number): string {
  let depth = 0;
  for (let at = from; at < source.length; at += 1) {
    if (source[at] === '{') depth += 1;
    if (source[at] === '}' && (depth -= 1) === 0) return source.slice(from + 1, at);
  }
  throw new Error('an object without an end');
}

/** The names of an object's own properties, as it stands in the source. */
function keysOf(object: string): readonly string[] {
  let depth = 0;
  let flat = '';
  for (const sign of object) {
    if ('([{'.includes(sign)) depth += 1;
    if (depth === 0) flat += sign;
    if (')]}'.includes(sign)) depth -= 1;
  }
  return flat
    .split(',')
    .map((part) => part.trim().replace(/\s*:.*$/s, ''))
    .filter((key) => key !== '');
}

/** Field names by the first place that uses each; `odd` are calls whose fields do not stand there word for word. */
async function collect(): Promise<{ fields: Map<string, string>; odd: string[]; calls: number }> {
  const fields = new Map<string, string>();
  const odd: string[] = [];
  let calls = 0;
  for await (const path of glob('src/**/*.ts', { cwd: root })) {
    const source = await readFile(join(root, path), 'utf8');
    for (const match of source.matchAll(call)) {
      calls += 1;
      const begin = match.index + match[0].length;
      const rest = source.slice(begin);
      const first = rest.trimStart();
      const where = `${path}: ${first.slice(0, 60).split('\n')[0] ?? ''}`;
      if (/^['"`]/.test(first)) continue;
      const keys = first.startsWith('{') ? keysOf(inside(source, begin + rest.length - first.length)) : ['?'];
      if (keys.some((key) => !/^\w+$/.test(key))) odd.push(where);
      else for (const key of keys) fields.set(key, fields.get(key) ?? where);
    }
  }
  return { fields, odd, calls };
}

/** The fields of the table in the docs. */
async function documented(): Promise<ReadonlySet<string>> {
  const page = await readFile(join(root, 'docs/operating.md'), 'utf8');
  const table = /\| field \| holds \|\n\|[ -|]*\n((?:\|[^\n]*\n)+)/.exec(page)?.[1] ?? '';
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')));
}

test('every field that the log uses is documented, and no other', async () => {
  const { fields, odd, calls } = await collect();
  // Fields that come from elsewhere could be any.
  expect(odd).toEqual([]);
  expect(calls).toBeGreaterThan(50);
  const known = await documented();
  expect(Object.fromEntries([...fields].filter(([field]) => !known.has(field)))).toEqual({});
  expect([...known].filter((field) => !fields.has(field))).toEqual([]);
});

test('the collector finds what stands in a call', () => {
  const object = ` a, b: c.d, e: f({ g: 1, h }), i: j ? 'k, l' : [m], `;
  expect(keysOf(object)).toEqual(expect.arrayContaining(['a', 'b', 'e', 'i']));
  expect(keysOf(' ...more, a ')).toEqual(['...more', 'a']);
  expect(inside('x({ a: { b: 1 } }, c)', 2)).toBe(' a: { b: 1 } ');
  const calls = `log.info({a}) deps.log?.warn( log[away ? 'warn' : 'error']({ catalog.info(`;
  expect(calls.match(call)).toEqual(['log.info(', 'log?.warn(', `log[away ? 'warn' : 'error'](`]);
});
