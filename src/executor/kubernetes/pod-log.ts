import type { PodContainer, PodLogRefusal } from '../../core/outcome/last-words.ts';
import { briefError } from '../../log.ts';
import { ExecutorAwayError } from '../executor.ts';
import type { Cluster } from './client.ts';
import { ClusterRefusal } from './cluster-error.ts';
import { podsPath } from './jobs.ts';

/** The end of a container's log, or why it is not to be had. `isCut`: it may go on behind these bytes. */
export type PodLog =
  { readonly container: PodContainer; readonly bytes: Uint8Array; readonly isCut: boolean } | PodLogRefusal;

const tailLines = '20';

/**
 * Of one container. `limitBytes` of the API cuts off the end of what `tailLines` chose (measured), and it is the end
 * that matters: lines of 800 bytes on average are still whole.
 */
const limitBytes = 16 * 1024;

/** Asks once, until the signal. Never throws: what is in the way is part of the answer. */
export async function readPodLog(
  cluster: Cluster,
  pod: string,
  container: PodContainer,
  signal: AbortSignal,
): Promise<PodLog> {
  try {
    const path = `${podsPath(cluster)}/${encodeURIComponent(pod)}/log`;
    const query = { container, tailLines, limitBytes: String(limitBytes) };
    const body = await cluster.stream({ method: 'GET', path, query }, signal);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body) {
      parts.push(part);
      size += part.length;
      if (size >= limitBytes) break;
    }
    return { container, bytes: Buffer.concat(parts).subarray(0, limitBytes), isCut: size >= limitBytes };
  } catch (error) {
    if (signal.aborted) return { container, refused: 'late', message: '' };
    return { container, ...refusalOf(error) };
  }
}

function refusalOf(error: unknown): Pick<PodLogRefusal, 'refused' | 'message'> {
  if (error instanceof ClusterRefusal) {
    const refused = error.kind === 'missing' || error.kind === 'forbidden' ? error.kind : 'other';
    return { refused, message: error.message };
  }
  // Where it was asked says nothing to anybody.
  if (error instanceof ExecutorAwayError)
    return { refused: 'away', message: error.message.replace(/ GET \/\S+$/u, '') };
  return { refused: 'away', message: briefError(error) };
}
