import { problem, type Problem } from '../core/problems.ts';
import type { Push } from './push-facts.ts';

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
