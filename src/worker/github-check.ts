import { isDeepStrictEqual } from 'node:util';
import { mostAnnotations } from '../core/check.ts';
import { saveHostCheck, saveSaid, saveSending, type CheckRow } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import type { Repository } from '../db/repositories.ts';
import type { GithubSource } from '../github-app.ts';
import { createCheck, findCheck, readCheckState, updateCheck } from '../github/check.ts';
import type { Github, GithubRepository } from '../github/connection.ts';
import { askAbout, requireGithub } from './github-answers.ts';
import type { StepEnd } from './loop.ts';

/** Seconds until what could not be told a repository is tried again; it is tried at once when it can be read again. */
const unreadableSeconds = 6 * 3_600;

/**
 * Seconds after the word before for each further word that is neither a change of state nor the verdict. GitHub counts
 * each as five points, and a run is to cost eight requests in its life.
 */
const pauses = [20, 300];
const rarelySeconds = 24 * 3_600;

/** Seconds after which GitHub is looked at once more, where a word may still have been on its way. */
const lookAgainSeconds = 60;

/**
 * Sends a check to GitHub. What is about to be sent is noted first: after a crash or a lost answer GitHub is asked what
 * it has, so that nothing is made twice, and a verdict that an older word may have covered is looked at once more.
 */
export async function tellGithub(
  { db, github: source }: { readonly db: Db; readonly github: GithubSource },
  claim: Claim,
  check: CheckRow,
  repository: Repository,
): Promise<StepEnd> {
  if (repository.access !== 'open') return { dueInSeconds: unreadableSeconds };
  const pause = pauseBefore(check, claim.now);
  if (pause > 0) return { dueInSeconds: pause };
  const github = await requireGithub(source);
  const doubtful = check.sendingSince !== null;
  if (!doubtful && isDeepStrictEqual(check.said, check.says)) {
    await saveSaid(db, claim, { ...check, said: check.says, doubtful: false, lookAgainInSeconds: null });
    return { saved: true };
  }
  await saveSending(db, claim);
  return askAbout(db, repository, async (place) => {
    const there = doubtful ? await lookFor(github, place, check) : null;
    const settled = there !== null && isDeepStrictEqual(check.said, check.says) && isAsSaid(check, there);
    const known = {
      id: there?.id ?? check.hostCheckId,
      annotations: there?.annotationsCount ?? check.annotationsSaid,
    };
    const isOver = check.says.status === 'completed';
    const said = settled ? known : await send({ db, claim, github, place }, check, known);
    await saveSaid(db, claim, {
      said: check.says,
      hostCheckId: said.id,
      annotationsSaid: said.annotations,
      updates: isUpdate(check) ? check.updates + 1 : check.updates,
      // A request that we gave up may be on its way for longer than the one that was sent after it.
      doubtful: doubtful && !(settled && isOver),
      lookAgainInSeconds: doubtful && !settled && isOver ? lookAgainSeconds : null,
    });
    return { saved: true };
  });
}

type Sent = { readonly id: string | null; readonly annotations: number };

async function send(
  to: { readonly db: Db; readonly claim: Claim; readonly github: Github; readonly place: GithubRepository },
  { sha, says }: CheckRow,
  known: Sent,
): Promise<Sent> {
  const { db, claim, github, place } = to;
  // One by one: GitHub adds what it is sent to what it has.
  let { id, annotations: count } = known;
  do {
    const annotations = says.annotations.slice(count, count + mostAnnotations);
    if (id === null) {
      id = await createCheck(github, place, sha, says, { annotations });
      await saveHostCheck(db, claim, id);
    } else await updateCheck(github, place, id, says, { annotations });
    count += annotations.length;
  } while (count < says.annotations.length);
  return { id, annotations: count };
}

function lookFor(github: Github, place: GithubRepository, { sha, name, says, hostCheckId }: CheckRow) {
  if (hostCheckId !== null) return readCheckState(github, place, hostCheckId);
  return findCheck(github, place, { sha, name, externalId: says.externalId });
}

function isAsSaid(
  { says }: CheckRow,
  there: { readonly status: string; readonly conclusion: string | null },
): boolean {
  return there.status === says.status && there.conclusion === says.conclusion;
}

/** The first word, a change of state and the verdict are sent at once. */
function isUpdate({ said, says, hostCheckId }: CheckRow): boolean {
  return hostCheckId !== null && says.status !== 'completed' && said?.status === says.status;
}

function pauseBefore(check: CheckRow, now: Date): number {
  if (!isUpdate(check) || check.saidAt === null || check.sendingSince !== null) return 0;
  const since = (now.getTime() - check.saidAt.getTime()) / 1_000;
  return Math.max(0, (pauses[check.updates] ?? rarelySeconds) - since);
}
