import { findCheck, saveSaid } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import type { StepEnd } from './loop.ts';

/**
 * Tells a commit what it is to be told. On the local host the row itself is what the page, the API and the CLI
 * show, so telling is noting that it was told; another host is sent the same row.
 */
export async function tellCheck(deps: { readonly db: Db }, claim: Claim): Promise<StepEnd> {
  const check = await findCheck(deps.db, Number(claim.id));
  if (!check) return { dueInSeconds: null };
  await saveSaid(deps.db, claim, check.says, check.hostCheckId);
  return { saved: true };
}
