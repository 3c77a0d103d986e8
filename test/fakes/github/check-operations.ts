import { invalid, notFound, ok, refuse, type Answer } from './answer.ts';
import { page, repositoryOf, tokenOf, type Ask, type Operate } from './ask.ts';
import { checkRunPayload } from './check-payloads.ts';
import { tell } from './grants.ts';
import { checkRunShape } from './check-shapes.ts';
import { findCommit, readType } from './read-git.ts';
import { fullName } from './ask.ts';
import { timeShape } from './shapes.ts';
import type { FakeRepository } from './repository.ts';
import type { FakeAnnotation, FakeCheckAction, FakeCheckRun, World } from './world.ts';

type Output = {
  readonly title?: string;
  readonly summary?: string;
  readonly text?: string;
  readonly annotations?: readonly FakeAnnotation[];
};

type Body = {
  readonly name?: string;
  readonly head_sha?: string;
  readonly details_url?: string;
  readonly external_id?: string;
  readonly status?: FakeCheckRun['status'];
  readonly started_at?: string;
  readonly conclusion?: string;
  readonly completed_at?: string;
  readonly output?: Output;
  readonly actions?: readonly FakeCheckAction[];
};

/** Rules that GitHub keeps and its schema does not tell. */
function check(body: Body): void {
  const { output } = body;
  for (const [field, text] of [
    ['summary', output?.summary],
    ['text', output?.text],
    ['title', output?.title],
  ] as const)
    if (text !== undefined && Buffer.byteLength(text) > 65_535)
      invalid('CheckRun', field, `${field} exceeds a maximum bytesize of 65535`);
  if (body.status === 'completed' && body.conclusion === undefined)
    invalid('CheckRun', 'conclusion', 'conclusion is needed where the status is completed');
  if (body.conclusion !== undefined && body.status !== undefined && body.status !== 'completed')
    invalid('CheckRun', 'conclusion', `a conclusion does not go with the status ${body.status}`);
  if (body.conclusion === 'stale')
    invalid('CheckRun', 'conclusion', 'only GitHub marks a check run as stale');
  if (body.name !== undefined && (body.name === '' || Buffer.byteLength(body.name) > 255))
    invalid('CheckRun', 'name', 'name has from 1 to 255 bytes');
  for (const annotation of output?.annotations ?? []) checkAnnotation(annotation);
  for (const action of body.actions ?? [])
    for (const [field, longest] of [
      ['label', 20],
      ['description', 40],
      ['identifier', 20],
    ] as const)
      if (action[field] === '' || action[field].length > longest)
        invalid('CheckRun', 'actions', `${field} has from 1 to ${longest} characters`);
}

function checkAnnotation(annotation: FakeAnnotation): void {
  const { start_line, end_line, start_column, end_column, message, title, raw_details } = annotation;
  if (start_line < 1 || end_line < start_line)
    invalid('CheckAnnotation', 'end_line', 'lines are counted from 1, and end_line is not above start_line');
  if (start_line !== end_line && (start_column !== undefined || end_column !== undefined))
    invalid('CheckAnnotation', 'start_column', 'columns are for annotations of a single line');
  if (start_column !== undefined && end_column !== undefined && end_column < start_column)
    invalid('CheckAnnotation', 'end_column', 'end_column is left of start_column');
  if (Buffer.byteLength(message) > 65_536 || Buffer.byteLength(raw_details ?? '') > 65_536)
    invalid('CheckAnnotation', 'message', 'a text exceeds 64 KB');
  if ((title ?? '').length > 255) invalid('CheckAnnotation', 'title', 'title exceeds 255 characters');
}

function apply(world: World, run: FakeCheckRun, body: Body): void {
  const now = timeShape(world.now());
  if (body.name !== undefined) run.name = body.name;
  if (body.external_id !== undefined) run.externalId = body.external_id;
  if (body.details_url !== undefined) run.detailsUrl = body.details_url;
  if (body.started_at !== undefined) run.startedAt = body.started_at;
  // A conclusion or a time of completion completes the run, whatever is said of its status.
  const completed = body.conclusion !== undefined || body.completed_at !== undefined;
  const status = completed ? 'completed' : body.status;
  if (status !== undefined) {
    run.status = status;
    run.conclusion = status === 'completed' ? (body.conclusion ?? run.conclusion ?? 'neutral') : null;
    run.completedAt = status === 'completed' ? (body.completed_at ?? now) : null;
  }
  if (body.output) {
    const { title, summary, text, annotations } = body.output;
    run.title = title ?? run.title;
    run.summary = summary ?? run.summary;
    run.text = text ?? (title === undefined ? run.text : null);
    // They only ever grow: an update cannot take one back.
    run.annotations.push(...(annotations ?? []));
  }
  if (body.actions) run.actions = body.actions;
}

function writable(repository: FakeRepository): FakeRepository {
  if (repository.archived) refuse(403, 'Repository was archived so is read-only.');
  return repository;
}

/** The suite of the App for a commit: one each. */
export function suiteOf(world: World, repository: FakeRepository, sha: string): number {
  const known = repository.suites.get(sha);
  if (known !== undefined) return known;
  const id = world.nextId();
  repository.suites.set(sha, id);
  return id;
}

/** GitHub tells an App of its own check runs, too. */
async function tellNoise(world: World, run: FakeCheckRun, action: 'created' | 'completed'): Promise<void> {
  if (world.noise)
    await tell(world, { sender: `${world.app.slug}[bot]` }, 'check_run', (sender) =>
      checkRunPayload(world, run, action, sender),
    );
}

function runAsked(ask: Ask): FakeCheckRun {
  const id = Number(ask.params['check_run_id']);
  return repositoryOf(ask).checkRuns.find((run) => run.id === id) ?? notFound();
}

async function create(ask: Ask): Promise<Answer> {
  const { world } = ask;
  const repository = writable(repositoryOf(ask));
  const body = ask.body as Body & { readonly name: string; readonly head_sha: string };
  check(body);
  if ((await readType(repository.directory, body.head_sha)) !== 'commit')
    refuse(422, `No commit found for SHA: ${body.head_sha}`);
  const run: FakeCheckRun = {
    // Beyond 32 bits, as GitHub's are.
    id: 30_000_000_000 + world.nextId(),
    suiteId: suiteOf(world, repository, body.head_sha),
    appId: world.app.id,
    repository,
    headSha: body.head_sha,
    name: body.name,
    externalId: '',
    detailsUrl: null,
    status: 'queued',
    conclusion: null,
    startedAt: timeShape(world.now()),
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    actions: [],
  };
  apply(world, run, body);
  repository.checkRuns.push(run);
  await tellNoise(world, run, 'created');
  if (run.status === 'completed') await tellNoise(world, run, 'completed');
  return { status: 201, body: checkRunShape(world, run) };
}

async function listForRef(ask: Ask): Promise<Answer> {
  const { world, query } = ask;
  const repository = repositoryOf(ask);
  const ref = ask.params['ref'] ?? '';
  const sha = (await findCommit(repository, ref)) ?? refuse(422, `No commit found for SHA: ${ref}`);
  const name = query.get('check_name');
  const status = query.get('status');
  const appId = query.get('app_id');
  const all = repository.checkRuns
    .filter(
      (run) =>
        run.headSha === sha &&
        (name === null || run.name === name) &&
        (status === null || run.status === status) &&
        (appId === null || run.appId === appId),
    )
    .toReversed();
  // The newest of each name in its suite, unless all are asked for.
  const shown =
    query.get('filter') === 'all'
      ? all
      : all.filter(
          (run, at) =>
            all.findIndex((other) => other.name === run.name && other.suiteId === run.suiteId) === at,
        );
  const path = `/repos/${fullName(repository)}/commits/${encodeURIComponent(ref)}/check-runs`;
  const { items, headers } = page(ask, path, shown);
  return ok(
    { total_count: shown.length, check_runs: items.map((run) => checkRunShape(world, run)) },
    headers,
  );
}

export const checkOperations: Readonly<Record<string, Operate>> = {
  'checks/create': create,
  'checks/update': async (ask) => {
    const run = runAsked(ask);
    writable(run.repository);
    if (run.appId !== ask.world.app.id || tokenOf(ask).installation.removed)
      refuse(403, 'Invalid app_id - check run can only be modified by the GitHub App that created it.');
    const body = (ask.body ?? {}) as Body;
    check(body);
    const before = run.status;
    apply(ask.world, run, body);
    if (run.status === 'completed' && before !== 'completed') await tellNoise(ask.world, run, 'completed');
    return ok(checkRunShape(ask.world, run));
  },
  'checks/get': (ask) => ok(checkRunShape(ask.world, runAsked(ask))),
  'checks/list-for-ref': listForRef,
  'checks/list-annotations': (ask) => {
    const run = runAsked(ask);
    const path = `/repos/${fullName(run.repository)}/check-runs/${run.id}/annotations`;
    const { items, headers } = page(ask, path, run.annotations);
    return ok(
      items.map((annotation) => ({
        start_column: null,
        end_column: null,
        title: null,
        raw_details: null,
        ...annotation,
        blob_href: `${ask.world.url}/repos/${fullName(run.repository)}/git/blobs/${run.headSha}`,
      })),
      headers,
    );
  },
};
