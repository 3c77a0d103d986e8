import { AttemptFaultError } from '../core/attempt.ts';
import { BlobMissingError } from '../core/blob.ts';
import type { Clock } from './clock.ts';
import { collectArtifacts } from './collect-artifacts.ts';
import { collectWorkspace, type Put } from './collect.ts';
import { fetchWorkspace, type Place } from './fetch.ts';
import type { FileStates } from './file-states.ts';
import type { CollectWorkspace, FetchWorkspace } from './run-attempt.ts';

export type ContentOptions = {
  readonly clock: Clock;
  /** Short ways where the store is on this machine; without them everything goes through the attempt's door. */
  readonly place?: Place;
  readonly put?: Put;
};

/** How a workspace's content comes and goes: the two ends that an attempt is given. */
export function createContent({ clock, place, put }: ContentOptions): {
  readonly fetch: FetchWorkspace<FileStates>;
  readonly collect: CollectWorkspace<FileStates>;
} {
  return {
    fetch: ({ door, attempt, root, directory, signal }) =>
      fetchWorkspace({ door, attempt, root, directory, signal, ...(place && { place }) }).catch(
        missingAsFault,
      ),

    async collect({ door, attempt, root, restored, directory, artifacts: globs, signal }) {
      const order = { door, attempt, directory, known: restored, now: () => clock.now(), signal };
      const { root: output, trees, bytes } = await collectWorkspace({ ...order, ...(put && { put }) });
      const found = await collectArtifacts({ door, attempt, input: root, output, globs, trees });
      return { output, outputBytes: bytes, ...found };
    },
  };
}

/** What the store has not is not there a moment later either, and the next attempt looks once more. */
function missingAsFault(error: unknown): never {
  if (!(error instanceof BlobMissingError)) throw error;
  const message = `Something that it needs is not in AME's store any more: ${error.message}.`;
  throw new AttemptFaultError({ class: 'restore_failed', message });
}
