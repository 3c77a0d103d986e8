import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, in this order, as parts of their paths: what starts last is waited for alone. */
const long = [
  'journeys/crash',
  'journeys/github',
  'journeys/real-minute',
  'cli/start',
  'journeys/',
  'db/embedded',
];

/**
 * Starts the longest files first. Without its cache, as in a fresh clone, vitest goes by the size of files, and the
 * longest of all came last (measured: forty seconds of one worker alone). A class, because vitest takes no other form.
 */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((part) => moduleId.includes(part));
      return at < 0 ? long.length : at;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
