import type { Filter } from '../project.ts';
import type { Place } from '../problems.ts';
import type { Entry, TextNode } from './node.ts';
import { readItems, readText } from './read.ts';
import { positionOf } from './read-name.ts';
import type { Report } from './report.ts';

type Subject = 'paths' | 'branches' | 'tags';

/** `artifacts`: patterns of paths; an empty list means none. */
export function readArtifacts(entry: Entry, report: Report): readonly string[] | null {
  if (entry.value.kind === 'map') {
    // Destinations are planned as `{paths, to}`; files of the older kind had `saveChangedFiles` here.
    report('not-available-yet', entry.value.at, {
      key: 'artifacts',
      description: 'as a map with destinations; as a list of patterns it is',
    });
    return null;
  }
  return readGlobs(entry, 'paths', report).map(({ text }) => text);
}

/** `branches`, `tags` or `paths` of a trigger; `null`, which is "no filter", where nothing stands after the key. */
export function readFilter(entry: Entry | undefined, subject: Subject, report: Report): Filter | null {
  if (entry === undefined) return null;
  if (entry.value.kind === 'list' && entry.value.items.length === 0) {
    report('empty-list', entry.value.at, { key: entry.key, means: 'nothing would ever match' });
    return null;
  }
  const patterns = readGlobs(entry, subject, report).map(({ text, at }) => ({
    glob: text,
    position: positionOf(at),
  }));
  return { position: positionOf(entry.at), patterns };
}

function readGlobs(entry: Entry, subject: Subject, report: Report): readonly TextNode[] {
  const wanted = {
    what: `An item of \`${entry.key}\``,
    expected: 'a pattern',
    write: `Write \`${entry.key}: ["${subject === 'paths' ? 'src/**' : 'main'}"]\`, for instance.`,
  };
  return readItems(entry.value, `An item of \`${entry.key}\``, report).flatMap((item) => {
    const text = readText(item, wanted, report);
    if (text === null) return [];
    checkGlob(text.text, subject, text.at, report);
    return [text];
  });
}

function checkGlob(text: string, subject: Subject, at: Place, report: Report): void {
  const fault = (subject === 'paths' ? pathFault : refFault)(text);
  if (fault !== null) {
    report('bad-glob', at, { text, ...fault });
    return;
  }
  const character = /[[\]{}]/u.exec(text)?.[0];
  if (character !== undefined) report('literal-glob', at, { text, character });
}

type Fault = { readonly why: string; readonly suggestion: string };

function pathFault(text: string): Fault | null {
  const { mark, body } = split(text);
  if (body.trim() === '') return { why: 'it names nothing', suggestion: `${mark}**` };
  if (body.startsWith('/'))
    return {
      why: 'paths have no `/` at their beginning',
      suggestion: mark + (body.replace(/^\/+/u, '') || '**'),
    };
  if (body.startsWith('./'))
    return {
      why: 'paths do not begin with `./`',
      suggestion: mark + (body.replace(/^(?:\.?\/+)+/u, '') || '**'),
    };
  if (body.split('/').includes('..'))
    return {
      why: '`..` leads out of where paths begin',
      suggestion: `${mark}${
        body
          .split('/')
          .filter((part) => part !== '..')
          .join('/') || '**'
      }`,
    };
  if (body.endsWith('/')) return { why: 'files have no `/` at their end', suggestion: `${mark}${body}**` };
  if (body.includes('\\'))
    return { why: 'paths have `/` between their parts', suggestion: mark + body.replaceAll('\\', '/') };
  return null;
}

function refFault(text: string): Fault | null {
  const { mark, body } = split(text);
  if (body.trim() === '') return { why: 'it names nothing', suggestion: `${mark}**` };
  if (/^refs\/(?:heads|tags)\//u.test(body))
    return {
      why: 'names stand without `refs/heads/` or `refs/tags/`',
      suggestion: mark + body.replace(/^refs\/\w+\//u, ''),
    };
  if (body.startsWith('/') || body.endsWith('/'))
    return { why: 'names have no `/` at their ends', suggestion: mark + (trimmed(body) || '**') };
  if (/[\s~^:\\]/u.test(body))
    return { why: 'git allows no such name', suggestion: mark + body.replaceAll(/[\s~^:\\]+/gu, '-') };
  return null;
}

/** Without slashes at both ends. Not by a pattern: one for the end begins anew at every slash in between. */
function trimmed(body: string): string {
  let from = 0;
  let to = body.length;
  while (body[from] === '/') from += 1;
  while (to > from && body[to - 1] === '/') to -= 1;
  return body.slice(from, to);
}

function split(text: string): { readonly mark: '' | '!'; readonly body: string } {
  return text.startsWith('!') ? { mark: '!', body: text.slice(1) } : { mark: '', body: text };
}
