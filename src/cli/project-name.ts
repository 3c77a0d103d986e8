import { inputFault } from './fault.ts';
import type { Terminal } from './terminal.ts';

/** The project that was named, or the one whose clone we are in. */
export async function chooseProject(terminal: Terminal, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const { projectOfFolder } = await import('./clone.ts');
  const found = await projectOfFolder(terminal.cwd);
  if (found !== undefined) return found;
  throw inputFault('Which project? There is no valid ame.yaml here that says it: add --project <name>.');
}
