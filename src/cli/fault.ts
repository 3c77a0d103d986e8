/** What `ame` ends with. `interrupted` is what shells expect of a program that a Ctrl-C has ended. */
export const exitCodes = { good: 0, failure: 1, input: 2, badRun: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An end of the command that is not good. The message is for people: what, where, and what to do. */
export class CliFault extends Error {
  override name = 'CliFault';
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What the person typed or wrote has to be changed. */
export function inputFault(message: string, options?: ErrorOptions): CliFault {
  return new CliFault(exitCodes.input, message, options);
}

/** AME or the world failed; the same command may do better later. */
export function worldFault(message: string, options?: ErrorOptions): CliFault {
  return new CliFault(exitCodes.failure, message, options);
}

/** The server gave no answer at all. */
export class ServerAwayFault extends CliFault {
  override name = 'ServerAwayFault';
  constructor(message: string, options?: ErrorOptions) {
    super(exitCodes.failure, message, options);
  }
}

/** The server answered and said no. */
export class RefusalFault extends CliFault {
  override name = 'RefusalFault';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    // What is wrong with a request is the person's to change, and the rest is ours.
    super(status >= 500 ? exitCodes.failure : exitCodes.input, message);
    this.status = status;
    this.code = code;
  }
}
