import { homedir } from 'node:os';
import type { Peers, Quoted } from '../figures.ts';

/**
 * What another program does at the same work. Where it cannot be installed or run here, the figures that others have
 * of it are quoted instead, with the reason.
 */
export async function beside(
  measure: () => Promise<Peers>,
  known: Readonly<Record<string, Omit<Quoted, 'why'>>>,
): Promise<Peers> {
  try {
    return await measure();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    // No paths of a machine: this may end up in the docs.
    const why = said.replaceAll(homedir(), '~').trim().slice(0, 300);
    return Object.fromEntries(Object.entries(known).map(([name, quote]) => [name, { ...quote, why }]));
  }
}
