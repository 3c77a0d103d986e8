import { problem, type Problem } from '../core/problems.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { fileName, misnamed, type Head } from './head.ts';

/** What is worth a word about the commit that the file stands in. */
export function fileNotices(head: Pick<Head, 'misnamed' | 'absent'>): readonly Problem[] {
  const place = { line: 1, column: 1, path: '' };
  const notices: Problem[] = [];
  if (head.misnamed) notices.push(problem('file-not-read', place, {}));
  const { lfs, lfsPatterns, submodules } = head.absent ?? {};
  if (lfs && lfs.count > 0) notices.push(problem('lfs-pointers', place, lfs));
  if (lfsPatterns && lfsPatterns.count > 0) notices.push(problem('lfs-attributes', place, lfsPatterns));
  if (submodules && submodules.count > 0) notices.push(problem('submodules', place, submodules));
  return notices;
}

/** Where there is only a file of the other name, there is no file to say it on, and so the answer itself says it. */
export function withOtherName(decision: Decision, head: Pick<Head, 'misnamed'>): Decision {
  const isGone = decision.rule === 'file-absent' || decision.rule === 'file-deleted';
  if (!isGone || !head.misnamed) return decision;
  return {
    ...decision,
    message: `${decision.message} There is ${misnamed}, which is not read: rename it to ${fileName}.`,
  };
}
