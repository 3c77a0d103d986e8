/** The answer to a trigger: what runs, and which rule and line said so. */
export type Decision = {
  readonly outcome: 'run' | 'no-run';
  /** Names of tasks of the file, none twice; none where nothing runs. */
  readonly tasks: readonly string[];
  /** Stable, in kebab-case. */
  readonly rule: string;
  /** Of `ame.yaml`, from 1; `null` where it is the absence of a line that decides. */
  readonly line: number | null;
  /** One or two sentences for people. */
  readonly message: string;
  /** What to write in `ame.yaml` to be told yes; `null` where no line of the file would do it. */
  readonly remedy: string | null;
  /** Tasks that would run once someone who may has said yes. */
  readonly awaiting?: readonly string[];
};

export function noRun(
  rule: string,
  line: number | null,
  message: string,
  remedy: string | null = null,
): Decision {
  return { outcome: 'no-run', tasks: [], rule, line, message, remedy };
}

/** A name as YAML and people read it, whatever it contains. */
export function quote(name: string): string {
  return JSON.stringify(name);
}
