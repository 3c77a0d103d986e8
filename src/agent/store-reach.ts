import type { StoreAwayError } from './signed-transfer.ts';

/** What is known of the way from this machine to the store of content, shared by all transfers of an attempt. */
export type StoreReach = {
  /** Whether the way is still worth a try. */
  isOpen(): boolean;
  worked(): void;
  failed(error: StoreAwayError): void;
  /** What people are told of a store that is out of reach. */
  notice(): string | null;
};

/** As often in a row without any answer, the store counts as out of our reach. */
const mostUnreachable = 3;

/**
 * A store that refuses a connection is tried a few times, because that costs nothing. One that swallows what is sent to it
 * (a firewall, a NetworkPolicy) costs its whole time limit for each try, and is given up after the first one.
 */
export function createStoreReach(): StoreReach {
  let unreachable = 0;
  let host: string | null = null;
  return {
    isOpen: () => unreachable < mostUnreachable,
    worked() {
      // What ends well although others were given up changes nothing any more.
      if (unreachable < mostUnreachable) unreachable = 0;
    },
    failed(error) {
      if (!error.isUnreachable) return;
      unreachable += error.isSilent ? mostUnreachable : 1;
      host ??= error.host;
    },
    notice() {
      if (unreachable < mostUnreachable) return null;
      return `The store of content${host === null ? '' : ` at ${host}`} could not be reached from its pod: its files went through AME, which is slower.`;
    },
  };
}
