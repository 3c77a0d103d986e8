import type { AttemptReport } from '../attempt.ts';
import { fitTail, lastLines } from '../check/fit.ts';
import { visibleText } from '../escape.ts';
import { quoted } from './cluster/words.ts';

/** The containers of an attempt's pod: AME's own, and the task's. */
export type PodContainer = 'agent' | 'task';

/** What a pod said itself, where no report says how its command ended: never what the command printed, which goes to the agent. */
export type LastWords = {
  /** By container, at most twenty lines and 4 KiB each; only those that said something. */
  readonly said: readonly { readonly container: PodContainer; readonly text: string }[];
  /** Why not all of it could be read, in a sentence; `null` where all was. */
  readonly unread: string | null;
};

/**
 * Whether nobody of ours has seen how the command ended, or that it ever began: no report, or one of an agent that only
 * knows that its pod went. Then what its pod said itself may be all there is.
 */
export function leavesEndOpen(report: Pick<AttemptReport, 'ending' | 'fault'> | null): boolean {
  return report === null || (report.ending === null && report.fault === null);
}

/** Why the log of one container was not to be had. */
export type PodLogRefusal = {
  readonly container: PodContainer;
  /** `late`: no answer in the time that was given; `away`: a part of the cluster did not answer; else what the server said. */
  readonly refused: 'missing' | 'forbidden' | 'other' | 'away' | 'late';
  /** In the words of whoever refused. */
  readonly message: string;
};

/** What came of one question for the log of one container. */
export type PodLogAnswer = { readonly container: PodContainer; readonly text: string } | PodLogRefusal;

/** One way in which a log is not to be had. */
export type PodLogRule = {
  /** Never changes its meaning. */
  readonly id: string;
  /** Where an administrator sees it, for the docs. */
  readonly shows: string;
  readonly holds: (answer: PodLogRefusal) => boolean;
  /** Why it could not be read; `null` where there was nothing to be read. */
  readonly why: (answer: PodLogRefusal) => string | null;
};

/** The first that holds speaks. */
export const podLogRules: readonly PodLogRule[] = [
  {
    id: 'log-none',
    shows: '400, `is waiting to start` or `is not valid for pod`: the container said nothing yet',
    holds: ({ refused, message }) =>
      refused === 'other' && /is waiting to start|is not valid for pod/u.test(message),
    why: () => null,
  },
  {
    id: 'log-forbidden',
    shows: '403: AME has no right to `get` `pods/log` in the namespace',
    holds: ({ refused }) => refused === 'forbidden',
    why: ({ message }) =>
      `AME may not read it (an administrator grants \`get\` of \`pods/log\`, and \`ame doctor\` says what else is missing): ${quoted(message)}`,
  },
  {
    id: 'log-gone',
    shows: '404, or `unable to retrieve container logs`: pod, container or file were removed',
    holds: ({ refused, message }) => refused === 'missing' || isRemoved(message),
    why: () => 'it was removed before it could be read.',
  },
  {
    id: 'log-node-away',
    shows:
      '500, `dial tcp …:10250` or `no preferred addresses found`: the node is gone, or its kubelet does not answer',
    holds: ({ refused, message }) =>
      refused === 'away' && /dial tcp|containerLogs|no preferred addresses|proxy error|EOF/u.test(message),
    why: ({ message }) => `its node does not answer: ${quoted(withoutAddress(message))}`,
  },
  {
    id: 'log-late',
    shows: 'no answer in time: a node that is frozen, or that is known to be silent',
    holds: ({ refused }) => refused === 'late',
    why: ({ message }) =>
      message === '' ? 'its node did not answer in time.' : `its node does not answer: ${quoted(message)}`,
  },
  {
    id: 'log-refused',
    shows: 'any other answer',
    holds: () => true,
    why: ({ message }) => `the cluster answers: ${quoted(message)}`,
  },
];

const mostLines = 20;
const mostBytes = 4 * 1024;

/** What is kept of these answers; `null` where nothing was said and nothing is missing. */
export function lastWordsOf(answers: readonly PodLogAnswer[]): LastWords | null {
  const seen = answers.map((answer) =>
    'text' in answer && isRemoved(answer.text)
      ? { container: answer.container, refused: 'missing' as const, message: answer.text }
      : answer,
  );
  const said = seen.flatMap((answer) => {
    const text = 'text' in answer ? tailOf(answer.text) : '';
    return text === '' ? [] : [{ container: answer.container, text }];
  });
  const unread = seen.map((answer) => ('text' in answer ? null : whyUnread(answer).why));
  const why = unread.find((each) => each !== null) ?? null;
  return said.length === 0 && why === null ? null : { said, unread: why };
}

/** Why a log was not to be had, with the rule that spoke, for tests and docs. */
export function whyUnread(answer: PodLogRefusal): { readonly rule: string; readonly why: string | null } {
  const rule = podLogRules.find(({ holds }) => holds(answer));
  return { rule: rule?.id ?? '', why: rule?.why(answer) ?? null };
}

/** The kubelet says this in place of a log, and the answer is 200 all the same. */
function isRemoved(text: string): boolean {
  return /^unable to retrieve container logs for \S+$/u.test(text.trim());
}

/** The address of the node's kubelet, as it stands in the answer, is the pod's name once more. */
function withoutAddress(message: string): string {
  return message.replace(/^the API server answered 5\d\d: /u, '').replace(/^Get "[^"]*": /u, '');
}

/** Escape sequences, such as those for colours: a terminal would act on them, and a person reads past them. */
// oxlint-disable-next-line no-control-regex -- they begin with one
const sequences = /\u001b(?:\[[\d;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/gu;

/** The last lines, with nothing in them that acts instead of being read. */
function tailOf(text: string): string {
  const lines = visibleText(text.replaceAll(sequences, '')).trimEnd();
  return fitTail(lastLines(lines, mostLines), mostBytes).text.trim();
}
