import type { Fault, Point } from './points.ts';

/**
 * What is lost through no fault of its command is tried again three times, so that three faults are what a run with
 * commands survives whatever they are.
 */
const mostInside = 3;

const placeOf = (point: Point): string => point.replace(/ #\d+$/, '');

/** Places that a journey comes by while an attempt of it is under way, where a fault may cost that attempt. */
function placesInside(met: readonly Point[]): ReadonlySet<string> {
  const isRoom = (point: Point): boolean => / (executor|agent)\//.test(point);
  const [first, last] = [met.findIndex(isRoom), met.findLastIndex(isRoom)];
  return new Set(first < 0 ? [] : met.slice(first, last + 1).map(placeOf));
}

/** Faults that a journey must survive together, at most so many in one go, in their order. */
export function groupFaults(
  met: readonly Point[],
  faults: readonly Fault[],
  together: number,
): readonly (readonly Fault[])[] {
  const inside = placesInside(met);
  const isInside = ({ point }: Fault): boolean => inside.has(placeOf(point));
  const sets: Fault[][] = [];
  for (const fault of faults) {
    const open = sets.find(
      (set) =>
        set.length < together &&
        set.every(({ point }) => point !== fault.point) &&
        (!isInside(fault) || set.filter(isInside).length < mostInside),
    );
    if (open) open.push(fault);
    else sets.push([fault]);
  }
  return sets;
}
