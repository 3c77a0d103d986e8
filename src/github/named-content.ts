/**
 * What a commit says of content that it does not hold, as far as its root tells it without a walk through its trees:
 * where submodules stand, and for which paths Git LFS may keep files elsewhere. Whether a file is a pointer shows only
 * in the file itself.
 */
export type NamedContent = {
  readonly submodules: readonly string[];
  /** Patterns of `.gitattributes`, as written there. */
  readonly lfs: readonly string[];
};

/** Hostile files have a hundred thousand lines; this many entries are told. */
const most = 1000;

/** Reads the texts of `.gitmodules` and `.gitattributes`; `null` where there is no such file. Never throws. */
export function namedContent(gitmodules: string | null, gitattributes: string | null): NamedContent {
  return { submodules: submodulePaths(gitmodules ?? ''), lfs: lfsPatterns(gitattributes ?? '') };
}

function submodulePaths(text: string): readonly string[] {
  const paths = new Set<string>();
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*([\w.-]+)/.exec(line)?.[1];
    if (section !== undefined) inside = section.toLowerCase() === 'submodule';
    const path = inside ? /^\s*path\s*=\s*(.*)$/i.exec(line.replace(/^\s*\[[^\]]*\]/, ''))?.[1] : undefined;
    const value = path === undefined ? '' : unquote(path);
    if (value !== '' && paths.size < most) paths.add(value);
  }
  return [...paths];
}

/** A value of git's configuration: quotes fall away, a backslash takes the next character, `#` and `;` end it. */
function unquote(text: string): string {
  let value = '';
  let quoted = false;
  let ends = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') {
      at += 1;
      value += escapes[text.charAt(at)] ?? text.charAt(at);
    } else if (character === '"') {
      quoted = !quoted;
      ends = value.length;
      continue;
    } else if (!quoted && (character === '#' || character === ';')) break;
    else value += character;
    if (quoted || !/\s/.test(character)) ends = value.length;
  }
  return value.slice(0, ends);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' };

function lfsPatterns(text: string): readonly string[] {
  const patterns = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const [, pattern, attributes = ''] = /^\s*("(?:[^"\\]|\\.)*"|\S+)\s+(.*)$/.exec(line) ?? [];
    if (pattern === undefined || pattern.startsWith('#')) continue;
    // The last one counts, as for git: `filter=lfs -filter` takes it back.
    const filter = attributes.split(/\s+/).findLast((one) => /^[-!]?filter(=|$)/.test(one));
    if (filter === 'filter=lfs' && patterns.size < most) {
      patterns.add(pattern.startsWith('"') ? unquote(pattern) : pattern);
    }
  }
  return [...patterns];
}
