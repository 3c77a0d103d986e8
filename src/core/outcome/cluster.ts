import type { Observation } from '../attempt.ts';
import { readEnding } from '../run/signals.ts';
import type { Classification, OutcomeClass } from './classes.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { commandWord, isOver } from './cluster/phase.ts';
import type { ClusterCircumstances, ClusterRule } from './cluster/rule.ts';
import { clusterRules } from './cluster/rules.ts';

/**
 * What the cluster's facts mean for an attempt whose agent has not reported. Total: the first rule that holds speaks,
 * and what no rule knows still runs, waits, or is lost. `absent` where neither Job nor pod is there, which is only
 * worth believing when the API server was asked for them by name. Never an ending that is a success.
 */
export function observeCluster(facts: ClusterFacts, known: ClusterCircumstances): Observation {
  return seeCluster(facts, known).observation;
}

/** The same, with the rule that spoke, for tests and docs. */
export function seeCluster(
  facts: ClusterFacts,
  known: ClusterCircumstances,
): { readonly rule: string | null; readonly observation: Observation } {
  if (facts.job === null && facts.pod === null) return { rule: null, observation: { kind: 'absent' } };
  const over = facts.pod !== null && isOver(facts.pod);
  for (const rule of clusterRules) {
    // What a pod that is over still shows of waiting is left from before.
    if (over && rule.says === 'waits') continue;
    const message = rule.message(facts, known);
    if (message === null) continue;
    return { rule: rule.id, observation: observationOf(rule, message, facts, known) };
  }
  return { rule: null, observation: plain(facts, known) };
}

function observationOf(
  rule: ClusterRule,
  message: string,
  facts: ClusterFacts,
  known: ClusterCircumstances,
): Observation {
  if (rule.says === 'waits' || rule.class === null) return { kind: 'pending', why: message };
  const ending = classification(rule.class, message, facts);
  if (rule.says === 'over' || facts.pod === null || isOver(facts.pod)) return { kind: 'over', ending };
  const startedAt = begunAt(facts, known);
  if (startedAt !== null) return { kind: 'running', startedAt, taken: ending };
  // The agent lives and hears of it, so the pod ends by itself within moments; without it nothing has begun at all.
  return facts.pod?.agent?.state === 'running' ? { kind: 'pending', why: message } : { kind: 'over', ending };
}

/** The command's own exit code is told wherever it is known, whatever the attempt ended of. */
function classification(name: OutcomeClass, reason: string, { pod }: ClusterFacts): Classification {
  const end = pod === null ? null : commandWord(pod);
  const { exitCode, signal } = readEnding(end === null ? null : { exitCode: end.exitCode, signal: null });
  return { class: name, reason, exitCode, signal };
}

function plain(facts: ClusterFacts, known: ClusterCircumstances): Observation {
  const startedAt = begunAt(facts, known);
  return startedAt === null ? { kind: 'pending' } : { kind: 'running', startedAt };
}

/** When the task's container began; a node's clock may be wrong in either direction. */
function begunAt({ pod }: ClusterFacts, { now }: ClusterCircumstances): Date | null {
  const task = pod?.task ?? null;
  const said = task === null || task.state === 'waiting' ? null : task.startedAt;
  if (pod === null || said === null) return null;
  return new Date(Math.min(now.getTime(), Math.max(pod.createdAt.getTime(), said.getTime())));
}
