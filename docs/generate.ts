import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { problemCatalogue } from '../src/core/problems.ts';
import { keyReference, type KeyReference } from '../src/core/project-file/json-schema.ts';
import { eventNeeds, permissionNeeds } from '../src/github/permissions.ts';
import { endingsPage } from './endings-page.ts';
import { performancePage, type Measured } from './performance-page.ts';

/** Pages that are made from the code, by path. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/ame-yaml.md', filePage()],
    ['docs/problems.md', problemsPage()],
    ['docs/endings.md', notice + endingsPage()],
    ['docs/github.md', githubPage()],
    ['docs/performance.md', measuredPage()],
  ]);
}

const notice = '<!-- Made by `npm run docs`; edit what it is made from instead. -->\n\n';

function filePage(): string {
  const keys = keyReference();
  const sections = Map.groupBy(
    keys.filter((key) => key.availability === 'now'),
    (key) => key.path.split('.').slice(0, -1).join('.'),
  );
  const tables = [...sections].map(
    ([path, rows]) => `### ${path === '' ? 'At the top' : `\`${path}\``}\n\n${keyTable(rows)}`,
  );
  const older = keys
    .filter((key) => key.availability === 'older')
    .map((key) => `| \`${key.path}\` | ${cell(key.description)} |`);
  const later = [
    ...new Set(keys.filter((key) => key.availability === 'later').map((key) => `\`${key.name}\``)),
  ];
  return (
    [
      notice + readFileSync('docs/parts/ame-yaml.md', 'utf8').trimEnd(),
      '## Every key',
      'Keys that begin with `x-` are ignored at every level. Every other key that is not listed here is an error that names the nearest one.',
      ...tables,
      '## Older spellings',
      'Still read, each with a warning that shows the present form.',
      `| key | |\n| --- | --- |\n${older.join('\n')}`,
      '## Kept for later',
      `These names are free of any meaning yet, and using one is an error that says so: ${later.join(', ')}.`,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

function keyTable(keys: readonly KeyReference[]): string {
  const rows = keys.map(
    ({ name, shape, default: usual, description }) =>
      `| \`${name}\` | ${cell(shape ?? '')} | ${cell(usual ?? '')} | ${cell(description)} |`,
  );
  return `| key | value | default | what it does |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
}

function problemsPage(): string {
  const entries = problemCatalogue.map(
    ({ code, severity, explanation, example }) =>
      `### \`${code}\`\n\n*${severity}.* ${explanation}\n\n\`\`\`yaml\n${printable(example).trimEnd()}\n\`\`\``,
  );
  return `${notice}# Problems\n\nWhat can be wrong with a file. Each problem is shown with its line and column, what is wrong there, and what to write instead; all of them at once. Errors keep the file from running; warnings and notices do not. Codes never change their meaning.\n\n${entries.join('\n\n')}\n`;
}

/** Examples hold characters on purpose that a page cannot show. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\n\x20-\x7e…]/gu,
    (char) => `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
}

function githubPage(): string {
  const permissions = permissionNeeds.map(
    ({ permission, level, why }) => `| \`${permission}: ${level}\` | ${cell(why)} |`,
  );
  const events = eventNeeds.map(({ event, why }) => `| \`${event}\` | ${cell(why)} |`);
  const always =
    '| `installation`, `installation_repositories` | Come to every App: it was installed, suspended, removed, or its repositories changed |';
  const table = (head: string, rows: readonly string[]): string =>
    `| ${head} | why |\n| --- | --- |\n${rows.join('\n')}`;
  const text = readFileSync('docs/parts/github.md', 'utf8')
    .replace('<!-- permissions -->', () => table('permission', permissions))
    .replace('<!-- events -->', () => table('event', [...events, always]));
  return notice + text;
}

function measuredPage(): string {
  const measured = JSON.parse(readFileSync('docs/parts/performance.json', 'utf8')) as Record<
    string,
    Measured
  >;
  return notice + performancePage(Object.values(measured), readFileSync('docs/parts/performance.md', 'utf8'));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (import.meta.main) {
  for (const [path, text] of generatedPages()) await writeFile(path, text);
}
