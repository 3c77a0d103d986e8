/** Texts that grow with a number: what is wide, deep or wrong in one way, over and over. */
export const growing: Readonly<Record<string, (count: number) => string>> = {
  tasks: (count) => `${begin}tasks:\n${many(count, (at) => `  t${at}: {runcommand: x}\n`)}`,
  'unknown keys': (count) => `${begin}${many(count, (at) => `kez${at}: x\n`)}`,
  'one long key': (count) => `${begin}${'k'.repeat(count * 20)}: x\n`,
  'one long line of text': (count) => `${begin}tasks: {a: "${'x \u{1f680} '.repeat(count * 4)}"}\n`,
  'a long script': (count) =>
    `${begin}tasks:\n  a:\n    runcommand: |\n${many(count, (at) => `      echo ${at}: x\n`)}`,
  'a list of tasks that are none': (count) =>
    `${begin}on: {push: {run: [${many(count, (at) => `training_${at}, `)}]}}\ntasks: {train: x}\n`,
  'needs among each other': (count) =>
    `${begin}tasks:\n  p:\n    pipeline:\n${many(count, (at) => `      t${at}: {needs: [t${at + 1}], runcommand: x}\n`)}`,
  'references among each other': (count) =>
    `${begin}tasks:\n${many(count, (at) => `  t${at}: {taskref: t${at + 1}}\n`)}`,
  'the same key': (count) => `${begin}${many(count, () => 'tasks: {}\n')}`,
  'lines that fit nowhere': (count) =>
    `${begin}tasks:\n${many(count, (at) => `${' '.repeat((at * 7) % 11)}t: x\n`)}`,
  'lines with tabs': (count) => `${begin}tasks:\n${many(count, () => '\ta: x\n')}`,
  'quotes left open': (count) => `${begin}${many(count, () => 'a: "x\n')}`,
  'brackets left open': (count) => `${begin}${many(count, () => 'a: [x\n')}`,
  'brackets in brackets': (count) => `${begin}tasks: ${'['.repeat(count * 10)}`,
  'bad escapes': (count) => `${begin}tasks: {a: "${'\\q'.repeat(count * 8)}"}\n`,
  'anchors and aliases': (count) => `${begin}own: &a {x: y}\n${many(count, (at) => `k${at}: *a\n`)}`,
  comments: (count) => `${begin}${many(count, (at) => `# line ${at}\n`)}tasks: {a: x}\n`,
  'empty lines': (count) => `${begin}${'\n'.repeat(count * 20)}tasks: {a: x}\n`,
  documents: (count) => `${begin}${many(count, () => '---\na: x\n')}`,
  'slashes in a pattern': (count) => `${begin}on: {push: {branches: ["/${'/'.repeat(count * 10)}a"]}}\n`,
  'stars in a pattern': (count) => `${begin}on: {push: {paths: ["${'*a'.repeat(count * 8)}b"]}}\n`,
  'time zones that are none': (count) =>
    `${begin}recurring_tasks:\n${many(count, (at) => `  r${at}: {schedule: "@daily", timezone: Europe/C${at}}\n`)}`,
  'a schedule of many values': (count) =>
    `${begin}recurring_tasks: {r: {schedule: "${many(count, (at) => `${at % 60},`)}1 * * * *", taskref: a}}\ntasks: {a: x}\n`,
  variables: (count) =>
    `${begin}tasks:\n  a:\n    runcommand: x\n    env:\n${many(count, (at) => `      V${at}: "${at}"\n`)}`,
  'control characters': (count) => `${begin}tasks: {a: "${'\u{7}\u{1b}'.repeat(count * 8)}"}\n`,
  'marks that turn the text around': (count) =>
    `${begin}tasks: {a: "${'\u{202e}\u{2066}'.repeat(count * 4)}"}\n`,
};

const begin = 'projectname: spam\n';

function many(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}
