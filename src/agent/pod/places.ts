/** Where things lie in the pod of an attempt: what the agent, the entry and the pod's description agree on. */
export const podPlaces = {
  /** A volume that both containers may write. The files of the attempt lie below it, in a directory of our own. */
  volume: '/workspace',
  /** Where the command runs: a volume itself belongs to root, which git takes for somebody else's repository. */
  workspace: '/workspace/src',
  /** HOME and TMPDIR of the command; the agent makes both before the command begins. */
  home: '/workspace/home',
  temporary: '/workspace/tmp',
  /** The four pipes, the script and the directory `bin`: the agent's to write, the task's to read alone. */
  io: '/ame/io',
  /** What a restarted agent has to know; the agent's alone. */
  state: '/ame/state',
  /** Touched by the agent's preStop hook: the pod is being taken away. */
  taken: '/ame/state/taken',
  /** The attempt's token. */
  token: '/ame/token/token',
  /** The last word of a container, which Kubernetes shows as its message. */
  lastWord: '/dev/termination-log',
} as const;

/** The same names elsewhere. */
export type PodPlaces = { readonly [Name in keyof typeof podPlaces]: string };
