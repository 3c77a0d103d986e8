import { parse } from 'yaml';
import { allFixtures, fixtures } from '../core/project-file-fixtures.ts';
import { hostileWords } from './hostile-words.ts';
import type { Random } from '../random.ts';

type Tree = string | number | boolean | null | Tree[] | Map<string, Tree>;

/** The valid fixtures as trees, and all as text. */
const texts = allFixtures()
  .map(({ content }) => new TextDecoder().decode(content))
  .filter((text) => text.length < 6_000);
const trees = fixtures('valid').map(({ content }) =>
  treeOf(parse(new TextDecoder().decode(content), { logLevel: 'silent' })),
);
const keys = [
  ...new Set(
    trees.flatMap((tree) =>
      [...nodesOf(tree)].flatMap((node) => (node instanceof Map ? [...node.keys()] : [])),
    ),
  ),
];

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, below]) => [key, treeOf(below)]));
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : null;
}

function* nodesOf(tree: Tree): Generator<Tree> {
  yield tree;
  const below = tree instanceof Map ? [...tree.values()] : Array.isArray(tree) ? tree : [];
  for (const node of below) yield* nodesOf(node);
}

/** A project file that somebody meant ill: a fixture, changed in its structure, written down oddly, broken as text. */
export function hostileFile(random: Random): Uint8Array {
  let text = random.chance(0.2) ? random.pick(texts) : write(changed(random, random.pick(trees)), random, 0);
  for (let times = random.below(3); times > 0; times -= 1) text = brokenText(random, text);
  const bytes = Buffer.from(text);
  if (random.chance(0.05)) bytes[random.below(bytes.length + 1)] = 128 + random.below(128);
  return bytes;
}

/** A copy with up to four places changed. */
function changed(random: Random, tree: Tree): Tree {
  const size = [...nodesOf(tree)].length;
  const targets = new Set(Array.from({ length: 1 + random.below(4) }, () => random.below(size)));
  let at = -1;
  const copy = (node: Tree): Tree => {
    at += 1;
    const here = targets.has(at);
    const same =
      node instanceof Map
        ? new Map([...node].map(([key, below]) => [key, copy(below)]))
        : Array.isArray(node)
          ? node.map(copy)
          : node;
    return here ? twisted(random, same) : same;
  };
  return copy(tree);
}

function twisted(random: Random, node: Tree): Tree {
  const word = random.pick(hostileWords);
  switch (random.below(9)) {
    case 0:
      return word;
    case 1:
      return [node, node];
    case 2:
      return new Map([[random.chance(0.5) ? word : random.pick(keys), node]]);
    case 3: // deep
      return Array.from({ length: random.below(80) }).reduce<Tree>(
        (below) => (random.chance(0.5) ? [below] : new Map([[random.pick(keys), below]])),
        node,
      );
    case 4: // wide
      return new Map(
        Array.from({ length: random.below(Math.min(400, 2_000 / [...nodesOf(node)].length)) }, (_, at) => [
          `${random.pick(keys)}${at}`,
          node,
        ]),
      );
    case 5: // a long key
      return new Map([[word.padEnd(1 + random.below(5_000), 'k'), node]]);
    case 6:
      return node instanceof Map
        ? new Map([...node, [random.pick(keys), random.pick(trees)]])
        : word.repeat(random.below(50));
    case 7:
      return node instanceof Map ? new Map([...node].filter(() => random.chance(0.7))) : null;
    default:
      return random.pick([0, -1, 1e21, Number.NaN, true, false, null, 2 ** 53]);
  }
}

/** YAML in a style that changes from node to node. What comes out need not be YAML: keys and texts are often bare. */
function write(node: Tree, random: Random, depth: number): string {
  const indent = '  '.repeat(depth);
  const flow = depth > 12 || random.chance(0.15);
  if (node instanceof Map && node.size > 0) {
    const entries = [...node].map(([key, below]) => [writeText(key, random, true), below] as const);
    if (flow) return `{${entries.map(([key, below]) => `${key}: ${write(below, random, 99)}`).join(', ')}}`;
    const lines = entries.map(([key, below]) => `${indent}${key}:${behind(below, random, depth)}`);
    return `${depth === 0 ? '' : '\n'}${lines.join('\n')}`;
  }
  if (Array.isArray(node) && node.length > 0) {
    if (flow) return `[${node.map((below) => write(below, random, 99)).join(', ')}]`;
    const lines = node.map((below) => `${indent}-${behind(below, random, depth)}`);
    return `${depth === 0 ? '' : '\n'}${lines.join('\n')}`;
  }
  if (typeof node === 'string') return writeText(node, random, depth > 20);
  return node instanceof Map ? '{}' : Array.isArray(node) ? '[]' : String(node);
}

function behind(node: Tree, random: Random, depth: number): string {
  const text = write(node, random, depth + 1);
  if (typeof node === 'string' && node.includes('\n') && random.chance(0.7))
    return ` |\n${node.replaceAll(/^/gm, '  '.repeat(depth + 1))}`;
  return text.startsWith('\n') ? text : ` ${text}`;
}

function writeText(text: string, random: Random, oneLine: boolean): string {
  const style = random.below(6);
  if (style === 0) return JSON.stringify(text);
  if (style === 1) return `'${text.replaceAll("'", "''")}'`;
  if (oneLine)
    return /^[\w.-]+$/.test(text) || style === 2 ? text.replaceAll('\n', ' ') : JSON.stringify(text);
  return style === 2 && text.includes('\n') ? JSON.stringify(text) : text;
}

const pieces = [
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' ',
  '  ',
  ':',
  ': ',
  '- ',
  '"',
  "'",
  '[',
  ']',
  '{',
  '}',
  ',',
  '#',
  ' #',
  '&a ',
  '*a ',
  '!!map ',
  '|\n',
  '>-\n',
  '\n---\n',
  '\n...\n',
  '? ',
];

function brokenText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = random.below(40);
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + random.pick(pieces) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
      return text.slice(0, at) + text.slice(at, at + length).repeat(1 + random.below(60)) + text.slice(at);
    case 3:
      return text.slice(0, at) + random.pick(hostileWords) + text.slice(at);
    case 4: // a line moved in or out
      return text.replaceAll(/\n( +)/g, (line, spaces: string) =>
        random.chance(0.05) ? `\n${' '.repeat(random.below(spaces.length + 3))}` : line,
      );
    case 5:
      return random.pick(['\u{feff}', '%YAML 1.2\n---\n', '---\n', '# \u{202e}\n']) + text;
    default:
      return text.replaceAll('\n', random.pick(['\r\n', '\n', '\n\n', '\u{2028}', '\r']));
  }
}
