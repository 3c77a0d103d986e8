import type { Fault, FakeRequest, Match, World } from './world.ts';

/** Adds a fault for the next requests that match. */
export function addFault(world: World, match: Match, times: number, does: Fault['does']): void {
  world.faults.push({ match, times, does });
}

/** The faults that meet this request; each is used up by one. */
export function takeFaults(world: World, request: FakeRequest): readonly Fault['does'][] {
  const met: Fault['does'][] = [];
  for (const fault of world.faults.slice()) {
    const meets =
      typeof fault.match === 'string' ? request.operationId === fault.match : fault.match(request);
    if (!meets) continue;
    met.push(fault.does);
    fault.times -= 1;
    if (fault.times <= 0) world.faults.splice(world.faults.indexOf(fault), 1);
    // One failure or lost answer at a time; a wait goes with either.
    if (fault.does.kind !== 'wait') break;
  }
  return met;
}
