import { plainLine, visibleText } from '../../core/escape.ts';
import { counted } from '../../core/problems/wording.ts';
import { answer, connect, pathPart, type Client } from '../client.ts';
import { exitCodes, inputFault, RefusalFault, type ExitCode } from '../fault.ts';
import { findRun, parseRunName } from '../find-run.ts';
import { tableLines } from '../table.ts';
import { print, printJson, type Terminal } from '../terminal.ts';
import { ago, ahead, runName, shortRef } from '../words.ts';

type Options = { readonly json?: true };

/** Says why something runs or does not: of a run, a commit, or a delivery; without any, what came last. */
export async function why(terminal: Terminal, what: string | undefined, options: Options): Promise<ExitCode> {
  const client = await connect(terminal);
  const { json, lines } = await explain(terminal, client, what);
  const parked = await readParked(client);
  if (options.json) {
    printJson(terminal, { ...json, parked });
    return exitCodes.good;
  }
  for (const line of [...lines, ...parkedLines(terminal, parked)]) print(terminal, line);
  return exitCodes.good;
}

type Explanation = { readonly json: object; readonly lines: readonly string[] };

async function explain(terminal: Terminal, client: Client, what: string | undefined): Promise<Explanation> {
  if (what === undefined) return latest(terminal, client);
  if (parseRunName(what) !== undefined) return ofRun(terminal, client, what);
  const whole = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(what);
  const delivery = whole ? undefined : await findDelivery(client, what);
  if (delivery !== undefined) return ofDelivery(terminal, delivery);
  const { resolveCommit } = await import('../clone.ts');
  const commit = whole ? what : await resolveCommit(terminal.cwd, what);
  if (commit === undefined) {
    throw inputFault(`"${plainLine(what)}" is no run, no delivery, and no commit of a clone that we are in.`);
  }
  return ofCommit(terminal, client, commit);
}

async function ofRun(terminal: Terminal, client: Client, name: string): Promise<Explanation> {
  const run = await findRun(terminal, client, name);
  const param = { id: String(run.id) };
  const { decisions } = await answer(client.api.runs[':id'].decisions.$get({ param }));
  const head = `${terminal.colors.bold(runName(run))} ${run.state}: ${plainLine(run.task)} at ${run.commit.slice(0, 12)} on ${plainLine(shortRef(run.ref))}`;
  return { json: { run, decisions }, lines: [head, ...decisions.flatMap(decisionLines)] };
}

async function ofCommit(terminal: Terminal, client: Client, sha: string): Promise<Explanation> {
  const found = await answer(client.api.commits[':sha'].$get({ query: {}, param: { sha } }));
  const checks = found.checks.flatMap(({ name, status, conclusion, title, lines }) => [
    terminal.colors.bold(plainLine(`${name}: ${(conclusion ?? status).replaceAll('_', ' ')}: ${title}`)),
    ...lines.map((line) => visibleText(line)),
  ]);
  const undecided = found.deliveries.flatMap((delivery) => deliveryLines(terminal, delivery));
  return { json: found, lines: [...checks, ...found.decisions.flatMap(decisionLines), ...undecided] };
}

type Delivery = Awaited<ReturnType<typeof readDelivery>>;

function readDelivery(client: Client, id: string) {
  return answer(client.api.deliveries[':id'].$get({ param: { id: pathPart(id) } }));
}

async function findDelivery(client: Client, id: string): Promise<Delivery | undefined> {
  try {
    return await readDelivery(client, id);
  } catch (error) {
    if (error instanceof RefusalFault && error.status < 500) return undefined;
    throw error;
  }
}

function ofDelivery(terminal: Terminal, delivery: Delivery): Explanation {
  const lines = [...deliveryLines(terminal, delivery), ...delivery.decisions.flatMap(decisionLines)];
  return { json: delivery, lines };
}

/** What came, and, while nothing is decided about it, what kept it back so far and when it is looked at again. */
function deliveryLines({ colors }: Terminal, delivery: Omit<Delivery, 'decisions'>): readonly string[] {
  const { id, event, ref, before, after, outcome, receivedAt, lastError, nextTryAt } = delivery;
  const moved =
    before === null || after === null ? '' : ` from ${before.slice(0, 12)} to ${after.slice(0, 12)}`;
  const head = `${colors.bold(plainLine(id))} ${plainLine(event)}${ref === null ? '' : ` of ${plainLine(shortRef(ref))}`}${moved}: ${outcome ?? 'not decided yet'}`;
  if (outcome !== null) return [head];
  const now = new Date();
  const why = lastError === null ? '' : `: ${plainLine(lastError.split('\n', 1)[0] ?? '')}`;
  return [
    head,
    `  received ${ago(receivedAt, now)}, ${triesOf(delivery)}${why}`,
    nextTryAt === null
      ? '  not tried again until a person releases it'
      : `  next try ${ahead(nextTryAt, now)}`,
  ];
}

function triesOf({ failures, postponed }: Pick<Delivery, 'failures' | 'postponed'>): string {
  const tries = [
    ...(failures > 0 ? [`failed ${counted(failures, 'time')}`] : []),
    ...(postponed > 0 ? [`postponed ${counted(postponed, 'time')}`] : []),
  ];
  return tries.length === 0 ? 'has not failed' : tries.join(', ');
}

/** Deliveries that are shown where nothing is asked for. */
const latestCount = 10;

async function latest({ colors }: Terminal, client: Client): Promise<Explanation> {
  const { deliveries } = await answer(client.api.deliveries.$get({ query: { limit: String(latestCount) } }));
  const now = new Date();
  const rows = deliveries.map((delivery) => [
    delivery.id,
    delivery.event,
    shortRef(delivery.ref ?? ''),
    delivery.after?.slice(0, 12) ?? '',
    ago(delivery.receivedAt, now),
    delivery.outcome ?? `not decided yet, ${triesOf(delivery)}`,
  ]);
  const columns = ['DELIVERY', 'EVENT', 'REF', 'COMMIT', 'CAME', 'OUTCOME'].map((title) => ({ title }));
  const lines = rows.length === 0 ? ['Nothing has been pushed yet.'] : tableLines(columns, rows, colors.bold);
  return { json: { deliveries }, lines };
}

type Decision = Delivery['decisions'][number];

/** The rule that decided, its line, and what to write to be told yes. */
function decisionLines({ trigger, task, outcome, rule, line, message, remedy }: Decision): readonly string[] {
  const what =
    outcome === 'run'
      ? `runs ${plainLine(task ?? '')}`
      : outcome === 'problems'
        ? 'has problems'
        : 'runs nothing';
  const where = line === null ? '' : `, line ${line} of ame.yaml`;
  return [
    `  ${trigger.replaceAll('_', ' ')} ${what}: ${plainLine(message)} (rule ${plainLine(rule)}${where})`,
    ...(remedy === null
      ? []
      : [
          '  It would run with this in ame.yaml:',
          ...visibleText(remedy)
            .split('\n')
            .map((text) => `    ${text}`),
        ]),
  ];
}

type Parked = Awaited<ReturnType<typeof readParked>>;

async function readParked(client: Client) {
  return (await answer(client.api.parked.$get())).parked;
}

function parkedLines({ colors }: Terminal, parked: Parked): readonly string[] {
  return parked.flatMap(({ queue, id, failures, error }) => [
    `${colors.red('parked')}: row ${plainLine(id)} of ${queue} after ${counted(failures, 'failure')}: ${plainLine(error?.split('\n', 1)[0] ?? '')}`,
    `  Once its cause is repaired: ame release ${queue} ${plainLine(id)}`,
  ]);
}
