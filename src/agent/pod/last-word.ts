/** Why an agent ends, where AME may not have heard of it. */
export type LastWordCode =
  /** The door was never reached, or not any more. */
  | 'door-unreachable'
  /** The door takes nothing from this agent. */
  | 'refused'
  | 'restore-failed'
  | 'store-failed'
  | 'start-failed'
  /** The attempt had ended before. */
  | 'attempt-over'
  /** The container of the command ended without a word. */
  | 'task-died'
  | 'failed';

export type LastWord = { readonly code: LastWordCode; readonly sentence: string };

/** Kubernetes keeps 4,096 bytes of a container's last word; some are left for others. */
const longestSentence = 2_000;

/** The line that is put where Kubernetes shows it: `ame: <code>: <sentence>`. */
export function writeLastWord({ code, sentence }: LastWord): string {
  const text = sentence.replaceAll(/[\r\n]+/g, ' ').slice(0, longestSentence);
  return `ame: ${code}: ${text}\n`;
}
