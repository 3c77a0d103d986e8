import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Alias, Document, Node as YamlNode, Pair, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Place } from '../problems.ts';
import { closest } from '../closest.ts';
import type { BrokenNode, Entry, ListNode, MapNode, Node } from './node.ts';
import { noGaps, type Gaps } from './gaps.ts';
import type { Locate } from './lines.ts';
import type { Report } from './report.ts';

const mostDepth = 64;
const mostFromAliases = 10_000;
// For a suggestion; more are compared with none.
const mostAnchors = 1000;

/** Tags of older files, which stand on the value of `executor`. */
const executorTags = new Set(['!poetry', '!pipEnv', '!pip', '!mlflow', '!custom']);
const executorKey = ['executor'];
const coreTags = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/u;

type Building = {
  readonly text: string;
  readonly locate: Locate;
  readonly report: Report;
  readonly gaps: Gaps;
  /** What each anchor stands for, with its number of nodes; `null` while it is being built. */
  readonly anchors: Map<string, { readonly node: Node; readonly size: number } | null>;
  /** Nodes made so far, and how many more the aliases stand for. */
  nodes: number;
  fromAliases: number;
  isTooLarge: boolean;
};

/** Turns a parsed document into a tree of our own; `null` where the document is empty. Reports what YAML allows and AME does not. */
export function buildTree(
  document: Document.Parsed,
  text: string,
  locate: Locate,
  report: Report,
  gaps: Gaps = noGaps,
): Node | null {
  if (document.contents === null || (isScalar(document.contents) && document.contents.source === ''))
    return null;
  const building: Building = {
    text,
    locate,
    report,
    gaps,
    anchors: new Map(),
    nodes: 0,
    fromAliases: 0,
    isTooLarge: false,
  };
  return build(building, document.contents, '', 1, null);
}

type AnyNode = YamlNode | ParsedNode | null;

function build(
  building: Building,
  node: AnyNode,
  path: string,
  depth: number,
  parentKey: string | null,
): Node {
  const at = placeOf(building, node, path);
  building.nodes += 1;
  if (node === null) return { kind: 'empty', at, written: '', tag: null };
  if (node.range && building.gaps.isLost(node.range[0])) return { kind: 'broken', at };
  if (isAlias(node)) return resolve(building, node, at);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { kind: 'broken', at };
  const anchor = node.anchor;
  const before = building.nodes;
  if (anchor !== undefined) building.anchors.set(anchor, null);
  const built = buildPlain(building, node, at, depth, parentKey);
  if (anchor !== undefined) building.anchors.set(anchor, { node: built, size: building.nodes - before + 1 });
  return built;
}

function buildPlain(
  building: Building,
  node: Scalar | YAMLMap | YAMLSeq,
  at: Place,
  depth: number,
  parentKey: string | null,
): Node {
  if (depth > mostDepth && !isScalar(node)) {
    building.report('too-deep', at, { most: mostDepth });
    return { kind: 'broken', at };
  }
  const marks = marksOf(building, node, at);
  if (marks === 'broken') return { kind: 'broken', at };
  const isExecutor = node.tag !== undefined && executorTags.has(node.tag) && parentKey !== null;
  // Also below a misspelt key, which is read as if it were right.
  const tag = isExecutor && closest(parentKey, executorKey) !== null ? (node.tag ?? null) : null;
  if (tag === null && node.tag !== undefined && !coreTags.test(node.tag)) {
    building.report('custom-tag', marks.at, { tag: marks.tag });
    return { kind: 'broken', at };
  }
  if (isScalar(node)) {
    const built = scalar(node, at, tag);
    return built.kind === 'text' && !isStorable(building, built.text, at) ? { kind: 'broken', at } : built;
  }
  return isSeq(node) ? list(building, node, at, depth) : map(building, node, at, depth, tag);
}

/**
 * The tag as it is written and the place where tag and anchor begin, which the parser leaves out of a value's
 * range. Text that a shell understands and YAML swallows (`! grep`, `&& make`) is reported instead.
 */
function marksOf(
  building: Building,
  node: Scalar | YAMLMap | YAMLSeq,
  at: Place,
): { readonly at: Place; readonly tag: string } | 'broken' {
  const start = node.range?.[0];
  if (start === undefined || (node.tag === undefined && node.anchor === undefined)) return { at, tag: '' };
  const marks =
    /(?:[!&]\S*\s+)*[!&]\S*\s*$/u.exec(building.text.slice(Math.max(0, start - 300), start))?.[0] ?? '';
  const place = { ...building.locate(start - marks.length), path: at.path };
  const isShell = /(?:^|\s)!\s/u.test(marks)
    ? '!'
    : node.anchor !== undefined && !/^[\w.-]+$/u.test(node.anchor)
      ? '&'
      : null;
  if (isShell === null || !isScalar(node)) return { at: place, tag: /!\S*/u.exec(marks)?.[0] ?? '' };
  const text = building.text.slice(start - marks.length, node.range?.[1] ?? start).trim();
  const why =
    isShell === '!'
      ? 'begins with `!`, which YAML takes for a tag'
      : 'begins with `&`, which YAML takes for an anchor';
  building.report('needs-quotes', place, { text, why });
  return 'broken';
}

function scalar(node: Scalar, at: Place, tag: string | null): Node {
  const source = node.source ?? String(node.value);
  const isPlain = node.type === 'PLAIN';
  // With a tag of its own an empty value is an empty text to YAML.
  if (isPlain && (node.value === null || source === '')) return { kind: 'empty', at, written: source, tag };
  const { value } = node;
  const isOther = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  const read = isOther ? String(value) : null;
  const offset = isPlain ? 0 : node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : null;
  const text = isPlain ? source : String(node.value);
  // With an escape or a line break in it, columns inside the value cannot be counted from its start.
  const width = (node.range?.[1] ?? 0) - (node.range?.[0] ?? 0);
  const exact = offset !== null && width === text.length + 2 * offset;
  return {
    kind: 'text',
    at,
    text,
    reads: read === null || read === text ? null : read,
    offset: exact ? offset : null,
  };
}

/** Escapes between double quotes can make what the file itself was searched for: NUL, and halves of a character. */
function isStorable(building: Building, text: string, at: Place): boolean {
  const nul = text.includes('\0');
  if (!nul && text.isWellFormed()) return true;
  building.report('unstorable-text', at, { character: nul ? 'a NUL character' : 'half of a character' });
  return false;
}

function list(building: Building, node: YAMLSeq, at: Place, depth: number): ListNode {
  const items = node.items.map((item, index) =>
    build(building, nodeOf(item), `${at.path}[${index}]`, depth + 1, null),
  );
  return { kind: 'list', at, items, isWhole: !building.gaps.open.has(node) };
}

function map(
  building: Building,
  node: YAMLMap,
  at: Place,
  depth: number,
  tag: string | null,
): MapNode | BrokenNode {
  if (isTemplate(node)) {
    const [start = 0, end = 0] = node.range ?? [];
    const why = 'is a map in a map to YAML; ame.yaml has no template language';
    building.report('needs-quotes', at, { text: building.text.slice(start, end), why });
    return { kind: 'broken', at };
  }
  const { open, isCut } = building.gaps;
  let isWhole = !open.has(node) && !isCut(node.range?.[0] ?? -1);
  const entries: Entry[] = [];
  const lineOf = new Map<string, number>();
  for (const pair of node.items) {
    const keyAt = placeOf(building, nodeOf(pair.key), at.path);
    const key = keyText(building, pair, pair.key === null ? at : keyAt);
    if (key === null) {
      isWhole = false;
      continue;
    }
    const path = at.path === '' ? key : `${at.path}.${key}`;
    const place = { ...keyAt, path };
    const earlier = lineOf.get(key);
    const value = valueOf(building, pair, place, path, depth, key);
    if (key === '<<') {
      building.report('merge-key', place, {});
      isWhole = false;
    } else if (earlier !== undefined) building.report('duplicate-key', place, { key, line: earlier });
    else {
      lineOf.set(key, place.line);
      entries.push({ key, at: place, value });
    }
  }
  const isInBraces = building.text[node.range?.[0] ?? -1] === '{';
  return { kind: 'map', at, entries, isWhole, tag, isInBraces };
}

/** `{{ name }}`, which other tools fill in. */
function isTemplate(node: YAMLMap): boolean {
  const [pair] = node.items;
  return (
    node.items.length === 1 &&
    node.flow === true &&
    isMap(pair?.key) &&
    pair.key.flow === true &&
    pair.value === null
  );
}

/** The value of a pair; where there is none, its place is that of its key. */
function valueOf(
  building: Building,
  pair: Pair,
  keyAt: Place,
  path: string,
  depth: number,
  key: string,
): Node {
  const value = nodeOf(pair.value);
  const built = build(building, value, path, depth + 1, key);
  if (building.gaps.emptied.has(pair)) return { kind: 'broken', at: keyAt };
  const isNothing = built.kind === 'empty' && built.written === '';
  return isNothing ? { ...built, at: keyAt } : built;
}

function keyText(building: Building, pair: Pair, at: Place): string | null {
  const key = nodeOf(pair.key);
  if (isScalar(key) && (key.tag === undefined || coreTags.test(key.tag))) {
    const isNothing = key.type === 'PLAIN' && key.source === '';
    const text = key.type === 'PLAIN' ? (key.source ?? '') : String(key.value);
    if (!isNothing) return isStorable(building, text, at) ? text : null;
  }
  // An alias as a key is read as the text it stands for.
  const aliased = isAlias(key) ? building.anchors.get(key.source)?.node : undefined;
  if (aliased?.kind === 'text') return aliased.text;
  const found = isMap(key) ? 'a map' : isSeq(key) ? 'a list' : isAlias(key) ? 'an alias' : 'nothing';
  building.report('key-not-text', at, { found });
  return null;
}

function resolve(building: Building, alias: Alias, at: Place): Node {
  const name = alias.source;
  const target = building.anchors.get(name);
  if (target === undefined || target === null) {
    if (/^[\w-]+$/u.test(name)) {
      // Only what stands above it can be meant, however many anchors follow.
      const above = building.anchors.size;
      building.report('unknown-alias', at, () => ({
        name,
        nearest: closest(
          name,
          building.anchors
            .keys()
            .take(Math.min(above, mostAnchors))
            .filter((known) => known !== name)
            .toArray(),
        ),
      }));
    } else {
      building.report('needs-quotes', at, {
        text: `*${name}`,
        why: 'begins with `*`, which YAML takes for an alias',
      });
    }
    return { kind: 'broken', at };
  }
  building.fromAliases += target.size;
  building.nodes += target.size;
  if (building.fromAliases > mostFromAliases) {
    if (!building.isTooLarge) building.report('aliases-too-large', at, { most: mostFromAliases });
    building.isTooLarge = true;
    return { kind: 'broken', at };
  }
  return target.node;
}

function placeOf(building: Building, node: AnyNode, path: string): Place {
  const start = node?.range?.[0];
  if (start === undefined) return { line: 1, column: 1, path };
  return { ...building.locate(start), path };
}

function nodeOf(value: unknown): AnyNode {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;
}
