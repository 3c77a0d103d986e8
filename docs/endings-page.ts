import { outcomes, type Blame, type RetryRule } from '../src/core/outcome/classes.ts';
import { seeCluster } from '../src/core/outcome/cluster.ts';
import type { ClusterRoom } from '../src/core/outcome/cluster-facts.ts';
import { clusterRules } from '../src/core/outcome/cluster/rules.ts';
import { podLogRules, whyUnread } from '../src/core/outcome/last-words.ts';
import { fixtureCircumstances, fixtureFacts, readClusterFixtures } from '../test/core/cluster-fixtures.ts';

const blames: { readonly [blame in NonNullable<Blame>]: string } = {
  user: 'the task',
  resources: 'what it was given',
  cluster: 'the machine or cluster',
  us: 'AME',
};

const retries: { readonly [rule in RetryRule]: string } = {
  user: 'as `retries` says',
  memory: 'by AME with twice the memory, up to the ceiling; then as `retries` says',
  infrastructure: 'by AME, three times',
  moved: 'by AME, as often as it takes',
  never: 'no',
};

/** docs/endings.md: every class, and by which signs of a cluster each is known, with what AME then said of a real one. */
export function endingsPage(): string {
  const classes = Object.entries(outcomes).map(([name, { state, message, blame, retry }]) =>
    row([`\`${name}\``, state, message, blame === null ? '' : blames[blame], retries[retry]]),
  );
  const said = examples();
  const over = clusterRules.filter((rule) => rule.class !== null);
  const endings = over.map(({ id, class: name, shows }) =>
    row([name === null ? '' : `\`${name}\``, shows, said.get(id) ?? '']),
  );
  const waits = clusterRules
    .filter((rule) => rule.class === null)
    .map(({ id, shows }) => row([shows, said.get(id) ?? '']));
  return `# How an attempt can end

Every ending has one class. It says where to look first, and who may have it tried again: what the machine, the cluster or AME did never uses up a task's own \`retries\`.

${table(['class', 'state', 'what it means', 'look first at', 'tried again'], classes)}

## On a cluster

An attempt is over when its agent says so, with everything that it left stored. What the cluster shows is asked where the agent says nothing, and where the agent only knows that its pod was taken away. What AME itself asked for (a cancel, a time limit) keeps its own name, however the pod then went. A pod without a report is never a success: nobody has stored what it left.

These are the signs, in the order in which they are looked for: the first that is there decides. The words on the right are what AME says of a pod that was recorded. Who took a pod away comes first, because it explains every exit code that follows from it. Exit codes of the command are shown with the attempt wherever they are known.

${table(['ends as', 'what the cluster shows', 'what AME says'], endings)}

What no node of the cluster could hold, even if it were empty, is said within the minute and ends after AME_K8S_UNSCHEDULABLE_AFTER seconds: until then an autoscaler may bring a larger node. AME has to be allowed to look at nodes for that; without it the scheduler's own words are shown, and \`timeout.queue\` ends the wait.

A node that ran a task and does not answer is given up when the cluster gives it up, five minutes later as a rule. The task may still run there; AME takes nothing from it any more.

## What the pod said last

Where no report says how the command of an attempt ended, and a container of its pod ran, AME reads the end of that container's log, once: the last twenty lines and 4 KiB of \`agent\` and \`task\`, with the project's secrets masked. It stands with the attempt (\`ame runs show\`, the page, the API), and a check quotes the last lines of the first failure. What the command prints is not in there, but in the attempt's own log. Where the pod's log cannot be read the ending is the same, and a notice says why; the end waits three seconds for it at most.

${table(['what the cluster answers', "the pod's own log could not be read: …"], unreadLogs())}

## While it waits

${table(['what the cluster shows', 'what AME says'], waits)}
`;
}

const offsets = [0, 130, 700, 1000, 1900];
const room: NonNullable<ClusterRoom> = {
  nodes: 2,
  largest: { cpuMillis: 2000, memoryBytes: 2 ** 33, storageBytes: 2 ** 38, gpus: 4, vramMib: 24_576 },
  fits: false,
};

/** By rule: what is said of a fixture that it holds for, rather of one that was recorded, and rather early. */
function examples(): ReadonlyMap<string, string> {
  const fixtures = [...readClusterFixtures().values()];
  const order = [
    ...fixtures.filter(({ made }) => made === undefined),
    ...fixtures.filter(({ made }) => made),
  ];
  const said = new Map<string, string>();
  for (const place of [null, room]) {
    for (const offset of offsets) {
      for (const fixture of order) {
        const known = fixtureCircumstances(fixture, offset, place);
        const { rule, observation } = seeCluster(fixtureFacts(fixture), known);
        if (rule === null || said.has(rule)) continue;
        if (observation.kind === 'over') said.set(rule, observation.ending.reason);
        else if (observation.kind === 'pending') said.set(rule, observation.why ?? '');
        else if (observation.kind === 'running') said.set(rule, observation.taken?.reason ?? '');
      }
    }
  }
  return said;
}

/** By rule: what is said of the answer that was recorded. */
function unreadLogs(): readonly string[] {
  const answers = [...readClusterFixtures().values()].flatMap(({ log = [] }) => log);
  const said = new Map<string, string>();
  for (const answer of answers) {
    if (!('refused' in answer)) continue;
    const { rule, why } = whyUnread(answer);
    if (!said.has(rule)) said.set(rule, why ?? '(nothing is said)');
  }
  return podLogRules.map(({ id, shows }) => row([shows, said.get(id) ?? '']));
}

function table(head: readonly string[], rows: readonly string[]): string {
  return `${row(head)}\n${row(head.map(() => '---'))}\n${rows.join('\n')}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
