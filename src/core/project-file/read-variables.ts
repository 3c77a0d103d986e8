import type { EnvVariable, SecretVariable } from '../project.ts';
import type { Place } from '../problems.ts';
import { secretKeys, variableKeys } from './keys-task.ts';
import type { Entry, MapNode, Node } from './node.ts';
import { readFields, readItems, readText, reportType, requireKey } from './read.ts';
import { checkName } from './read-name.ts';
import { shorten, shown } from '../problems/wording.ts';
import type { Report } from './report.ts';

/** Where each variable of a task was set first, so that a second setting can name it. */
export type SetVariables = Map<string, { readonly line: number; readonly under: string }>;

// Any of these makes a map one entry; every other map is variable to value.
const entryKeys = new Set(['envkey', 'value', 'name', 'key', 'val', 'injectAs']);

function isEntry(node: MapNode): boolean {
  return node.entries.some(({ key }) => entryKeys.has(key));
}

/** `env`: one entry, a list of entries, or a map of variable to value. */
export function readEnv(entry: Entry, set: SetVariables, report: Report): readonly EnvVariable[] {
  return readItems(entry.value, 'An item of `env`', report).flatMap((item) => {
    if (item.kind !== 'map') {
      const pair = item.kind === 'text' ? /^([A-Za-z_]\w*)=(.*)$/su.exec(item.text.slice(0, 40)) : null;
      const shape = pair === null ? '{STAGE: production}' : `{${pair[1] ?? ''}: ${shorten(pair[2] ?? '')}}`;
      const write = `Write \`${entry.value.kind === 'list' ? '' : 'env: '}${shape}\`.`;
      reportType(
        item,
        {
          what: entry.value.kind === 'list' ? 'An item of `env`' : '`env`',
          expected: 'a map of variable to value',
          write,
        },
        report,
      );
      return [];
    }
    return isEntry(item)
      ? readEnvEntry(item, entry.value.kind === 'list' ? item.at : entry.at, set, report)
      : readEnvMap(item, set, report);
  });
}

function readEnvMap(node: MapNode, set: SetVariables, report: Report): EnvVariable[] {
  return node.entries.flatMap((entry) => {
    if (entry.key.startsWith('x-')) return [];
    if (entry.value.kind === 'empty' && entry.value.written === '') {
      report('empty-key', entry.at, { what: shown(entry.key), means: 'counts as absent' });
      return [];
    }
    setVariable(entry.key, entry.at, 'env', set, report);
    const value = readText(
      entry.value,
      {
        what: `The value of ${shown(entry.key)}`,
        expected: 'text',
        write: 'Write one value, in quotes if it contains `: `, `[` or `{`.',
      },
      report,
    );
    return [{ name: entry.key, value: value?.text ?? '' }];
  });
}

function readEnvEntry(node: MapNode, at: Place, set: SetVariables, report: Report): EnvVariable[] {
  const older = olderEntry(node, ['name', 'key', 'val']);
  const fields = readFields(node, variableKeys, older === null ? report : quietly(report, 'older-spelling'), {
    mayBeEmpty: ['value'],
  });
  const name = fields.get('envkey');
  const value = fields.get('value');
  if (older !== null)
    report('older-spelling', node.at, {
      written: `\`{${older.join(', ')}}\``,
      present: `\`{${textOf(name)}: ${textOf(value)}}\``,
    });
  const where = 'this entry of `env`';
  requireKey(fields, 'envkey', at, where, 'envkey: STAGE', report);
  requireKey(
    fields,
    'value',
    at,
    `${where} (a variable that is really called \`value\` or \`name\` is written in a list, \`[{envkey: value, value: 3}]\`)`,
    'value: production',
    report,
  );
  const variable =
    name === undefined
      ? null
      : readText(
          name.value,
          {
            what: '`envkey`',
            expected: 'the name of a variable',
            write: 'Write one name, as in `envkey: STAGE`.',
          },
          report,
        );
  const isNothing = value?.value.kind === 'empty' && value.value.written === '';
  const text =
    value === undefined || isNothing
      ? null
      : readText(
          value.value,
          { what: '`value`', expected: 'text', write: 'Write one value, as in `value: production`.' },
          report,
        );
  if (isNothing && value !== undefined)
    report('empty-key', value.at, { what: shown(value.key), means: 'counts as the empty text' });
  if (variable === null) return [];
  setVariable(variable.text, variable.at, 'env', set, report);
  return [{ name: variable.text, value: text?.text ?? '' }];
}

/** `secrets`: one entry, a list of entries or names, or a map of variable to secret. */
export function readSecrets(entry: Entry, set: SetVariables, report: Report): readonly SecretVariable[] {
  return readItems(entry.value, 'An item of `secrets`', report).flatMap((item) => {
    if (item.kind === 'map') {
      return isEntry(item)
        ? readSecretEntry(item, entry.value.kind === 'list' ? item.at : entry.at, set, report)
        : readSecretMap(item, set, report);
    }
    const name = readText(
      item,
      {
        what: 'A secret',
        expected: 'a name or a map',
        write: 'Write `secrets: [HF_TOKEN]` or `secrets: {VARIABLE: secret}`.',
      },
      report,
    );
    if (name === null) return [];
    setVariable(name.text, name.at, 'secrets', set, report);
    return [{ name: name.text, secret: name.text }];
  });
}

function readSecretMap(node: MapNode, set: SetVariables, report: Report): SecretVariable[] {
  return node.entries.flatMap((entry) => {
    if (entry.key.startsWith('x-')) return [];
    if (entry.value.kind === 'empty') {
      report('empty-key', entry.at, { what: shown(entry.key), means: 'counts as absent' });
      return [];
    }
    setVariable(entry.key, entry.at, 'secrets', set, report);
    return [{ name: entry.key, secret: readSecretName(entry.value, report) ?? '' }];
  });
}

function readSecretEntry(node: MapNode, at: Place, set: SetVariables, report: Report): SecretVariable[] {
  const older = olderEntry(node, ['key', 'injectAs']);
  const fields = readFields(node, secretKeys, older === null ? report : quietly(report, 'older-spelling'));
  const name = fields.get('name');
  const variable = fields.get('envkey');
  if (older !== null)
    report('older-spelling', node.at, {
      written: `\`{${older.join(', ')}}\``,
      present: `\`{${textOf(variable)}: ${textOf(name)}}\``,
    });
  const where = 'this entry of `secrets`';
  requireKey(fields, 'name', at, where, 'name: storagesecret', report);
  requireKey(fields, 'envkey', at, where, 'envkey: STORAGE_SECRET', report);
  const secret = name === undefined ? null : readSecretName(name.value, report);
  const text =
    variable === undefined
      ? null
      : readText(
          variable.value,
          {
            what: '`envkey`',
            expected: 'the name of a variable',
            write: 'Write one name, as in `envkey: STORAGE_SECRET`.',
          },
          report,
        );
  if (text === null) return [];
  setVariable(text.text, text.at, 'secrets', set, report);
  return [{ name: text.text, secret: secret ?? '' }];
}

function readSecretName(node: Node, report: Report): string | null {
  const text = readText(
    node,
    {
      what: 'The name of a secret',
      expected: 'one name',
      write: 'Write the name that `ame secret set` was given.',
    },
    report,
  );
  if (text === null) return null;
  checkName(text.text, 'the name of a secret', text.at, report);
  return text.text;
}

function setVariable(name: string, at: Place, under: string, set: SetVariables, report: Report): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)) {
    const bare = name
      .slice(0, 200)
      .replaceAll(/\W+/gu, '_')
      .replace(/^(?=\d)/u, '_');
    const why = /^\d/u.test(name)
      ? 'it begins with a digit'
      : name === ''
        ? 'it is empty'
        : 'a shell knows only letters, digits and underscores';
    report('bad-variable', at, {
      text: name,
      why,
      suggestion: /^[A-Za-z_]\w*$/u.test(bare) && bare !== '_' ? bare : null,
    });
    return;
  }
  if (/^AME_/iu.test(name)) report('reserved-variable', at, { text: name });
  const earlier = set.get(name);
  if (earlier === undefined) set.set(name, { line: at.line, under });
  else if (earlier.under === under) report('duplicate-variable', at, { text: name, line: earlier.line });
  else report('env-and-secret', at, { text: name, line: earlier.line, first: earlier.under });
}

/** The keys of an entry in an older form, or `null`: one warning shows the whole entry in the present one. */
function olderEntry(node: MapNode, names: readonly string[]): string[] | null {
  const keys = node.entries.map(({ key }) => key);
  return keys.some((key) => names.includes(key)) ? keys : null;
}

function quietly(report: Report, without: string): Report {
  return (code, at, details) => {
    if (code !== without) report(code, at, details);
  };
}

function textOf(entry: Entry | undefined): string {
  return entry?.value.kind === 'text' ? shorten(entry.value.text) : '…';
}
