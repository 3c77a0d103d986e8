import type { AttemptReport } from '../attempt.ts';
import { shown } from '../problems/wording.ts';
import type { AskedResources } from '../resources.ts';
import type { AttemptState } from '../run.ts';
import { describeLearned, describeRaise } from '../run/memory.ts';
import type { LastWords } from './last-words.ts';

/** An attempt as far as it has something to say. */
export type Noticed = {
  readonly task: string;
  readonly state: AttemptState;
  readonly resources: AskedResources | null;
  readonly report: Pick<AttemptReport, 'ending' | 'notices'> | null;
  readonly lastWords?: LastWords | null;
};

/** What a run says to people about an attempt: the notices of its report, and what its ending alone would hide. */
export function noticesOf({ task, state, resources, report, lastWords }: Noticed): readonly string[] {
  // A shell goes on when a child of it is ended, and what it prints then may be wrong although it ends with 0.
  const hidden = report?.ending?.outOfMemory === true && report.ending.exitCode === 0;
  const raise = state !== 'succeeded' || resources === null ? null : describeRaise(task, resources.memory);
  // Of one that failed it may not be enough: then its next try says so, or its reason.
  const learned = state === 'failed' || resources === null ? null : describeLearned(task, resources.memory);
  return [
    ...(report?.notices ?? []),
    ...(hidden ? [childOutOfMemory(task)] : []),
    ...(lastWords?.unread ? [unreadLog(task, lastWords.unread)] : []),
    ...(raise === null ? [] : [raise]),
    ...(learned === null ? [] : [learned]),
  ];
}

function unreadLog(task: string, why: string): string {
  return `${shown(task)}: the pod's own log could not be read: ${why}`;
}

function childOutOfMemory(task: string): string {
  return `${shown(task)} ended with 0, although something that its command had started was ended for want of memory. Is what it left whole? If not, ask for more in \`resources.memory\`.`;
}
