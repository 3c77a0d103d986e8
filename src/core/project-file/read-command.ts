import { shorten } from '../problems/wording.ts';
import { executorKeys } from './keys-task.ts';
import type { Entry, Node } from './node.ts';
import { readFields, readText, reportType } from './read.ts';
import type { Report } from './report.ts';

const oneCommand = 'Write `runcommand: python train.py`, or a list of lines.';

/** A command: text, or a list of lines. Answers with the script, `null` where none can be read; an empty one is a problem. */
export function readCommand(node: Node, task: string, report: Report): string | null {
  if (node.kind === 'broken') return null;
  if (node.kind === 'empty' && node.written === '') {
    report('empty-command', node.at, { task });
    return null;
  }
  const items = node.kind === 'list' ? node.items : [node];
  const lines = items.map((item) => readLine(item, report));
  if (lines.includes(null)) return null;
  const script = lines.filter((line) => typeof line === 'string').join('\n');
  if (script.trim() === '') {
    report('empty-command', node.at, { task });
    return null;
  }
  return script;
}

/** A line that is absent, in contrast to `null`, one that cannot be read. */
const nothing = Symbol('nothing');

function readLine(node: Node, report: Report): string | typeof nothing | null {
  if (node.kind === 'broken') return null;
  if (node.kind === 'empty' && node.written === '') {
    report('empty-key', node.at, { what: 'A line of the command', means: 'counts as absent' });
    return nothing;
  }
  if (node.kind === 'map') {
    // `- echo "step: 1"` is a map to YAML, because of the colon.
    const entry = node.entries[0];
    const value = entry?.value.kind === 'text' ? entry.value.text : '';
    const pair = entry === undefined ? '' : `${entry.key}: ${value}`;
    // Without its braces the text would be another command.
    const text = node.isInBraces ? `{${pair}}` : pair;
    if (node.entries.length === 1)
      report('needs-quotes', node.at, { text, why: 'is a map to YAML, because a space follows its colon' });
    else
      reportType(node, { what: 'A command', expected: 'text or a list of lines', write: oneCommand }, report);
    return null;
  }
  return (
    readText(node, { what: 'A command', expected: 'text or a list of lines', write: oneCommand }, report)
      ?.text ?? null
  );
}

/** What each executor of the older form did before and around the command. */
const executors: Readonly<Record<string, (command: string) => string>> = {
  '!poetry': (command) => `poetry install\npoetry run ${command}`,
  '!pipEnv': (command) => `pipenv sync\npipenv run ${command}`,
  '!pip': (command) => `pip install -r requirements.txt\n${command}`,
  '!custom': (command) => command,
};

/** `executor: !poetry {command: …}` and kin of older files, as the script that does the same. */
export function readExecutor(entry: Entry, task: string, report: Report): string | null {
  const { value } = entry;
  if (value.kind === 'broken') return null;
  const tag = value.kind === 'map' || value.kind === 'empty' ? value.tag : null;
  if (tag === null || value.kind === 'text' || value.kind === 'list') {
    const write = 'Delete it and write `runcommand: python train.py`.';
    reportType(
      value,
      {
        what: '`executor`',
        expected: 'one of the older forms `!poetry`, `!pipEnv`, `!pip`, `!mlflow`, `!custom` with a map',
        write,
      },
      report,
    );
    return null;
  }
  const fields = value.kind === 'map' ? readFields(value, executorKeys, report) : null;
  const command = fields?.get('command');
  const wrap = executors[tag];
  if (wrap !== undefined && command === undefined) {
    if (fields?.lacks('command') ?? true)
      report('missing-key', entry.at, {
        key: 'command',
        where: '`executor`',
        example: 'command: python train.py',
      });
    return null;
  }
  const text = command === undefined ? '' : readCommand(command.value, task, report);
  if (text === null) return null;
  const script = wrap === undefined ? 'mlflow run .' : wrap(text);
  const lines = script.split('\n').map((line) => shorten(line));
  const present =
    lines.length === 1 ? `\`runcommand: ${lines.join('')}\`` : `\`runcommand: [${lines.join(', ')}]\``;
  const python = fields?.get('pythonVersion') === undefined ? '' : '; `pythonVersion` has no effect';
  report('older-spelling', entry.at, { written: `\`executor: ${tag}\``, present: present + python });
  return script;
}
