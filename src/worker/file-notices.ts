import { problem, type Problem } from '../core/problems.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { fileName, misnamed, type Push } from './push-facts.ts';

/** What is worth a word about the commit that the file stands in. */
export function fileNotices(push: Pick<Push, 'misnamed' | 'absent'>): readonly Problem[] {
  const place = { line: 1, column: 1, path: '' };
  const notices: Problem[] = [];
  if (push.misnamed) notices.push(problem('file-not-read', place, {}));
  const { lfs, submodules } = push.absent ?? {};
  if (lfs && lfs.count > 0) notices.push(problem('lfs-pointers', place, lfs));
  if (submodules && submodules.count > 0) notices.push(problem('submodules', place, submodules));
  return notices;
}

/** Where there is only a file of the other name, there is no file to say it on, and so the answer itself says it. */
export function withOtherName(decision: Decision, push: Pick<Push, 'misnamed'>): Decision {
  if (decision.rule !== 'file-absent' || !push.misnamed) return decision;
  return {
    ...decision,
    message: `${decision.message} There is ${misnamed}, which is not read: rename it to ${fileName}.`,
  };
}
