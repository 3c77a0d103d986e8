import { admissionRules } from './admission.ts';
import { agentEndRules, agentWordRules } from './agent.ts';
import { containerRules } from './containers.ts';
import { evictedRules } from './evicted.ts';
import { imageRules } from './image.ts';
import { placingRules } from './placing.ts';
import type { ClusterRule } from './rule.ts';
import { commandRules, memoryRules, silentRules } from './silent.ts';
import { startErrorRules } from './start-error.ts';
import { takenRules } from './taken.ts';

/**
 * In order: the first that holds speaks. Who took a pod away explains every exit code that follows from it, so it
 * comes first; that an agent said nothing explains least, and comes last.
 */
export const clusterRules: readonly ClusterRule[] = [
  ...evictedRules,
  ...takenRules,
  ...admissionRules,
  ...placingRules,
  ...imageRules,
  ...startErrorRules,
  ...memoryRules,
  ...agentWordRules,
  ...commandRules,
  ...agentEndRules,
  ...containerRules,
  ...silentRules,
];
