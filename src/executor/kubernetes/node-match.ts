import type { V1Toleration } from '@kubernetes/client-node';
import type { NodeRequirement, NodeTerm } from './placement.ts';

export type Taint = { readonly key: string; readonly value?: string; readonly effect: string };

export type NamedNode = { readonly name: string; readonly labels: Readonly<Record<string, string>> };

/**
 * Whether pods with these tolerations may come to a node. Taints that Kubernetes sets by itself say how a node is at
 * the moment (not ready, cordoned, under pressure), not what it is for.
 */
export function toleratesAll(tolerations: readonly V1Toleration[], taints: readonly Taint[]): boolean {
  return taints
    .filter(({ key, effect }) => effect !== 'PreferNoSchedule' && !key.startsWith('node.kubernetes.io/'))
    .every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

function tolerates({ key, operator, value, effect }: V1Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key !== undefined && key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== undefined && key !== '' && (value ?? '') === (taint.value ?? '');
}

/** Whether a node meets one of the terms; without terms every node does. */
export function meetsTerms(terms: readonly NodeTerm[], node: NamedNode): boolean {
  return terms.length === 0 || terms.some((term) => meets(term, node));
}

function meets(term: NodeTerm, node: NamedNode): boolean {
  const fields = Array.isArray(term['matchFields'])
    ? (term['matchFields'] as readonly NodeRequirement[])
    : [];
  const expressions = term.matchExpressions ?? [];
  // A term without any requirement finds no node.
  if (fields.length + expressions.length === 0) return false;
  return (
    expressions.every((requirement) => holds(requirement, node.labels[requirement.key])) &&
    fields.every((requirement) => requirement.key === 'metadata.name' && holds(requirement, node.name))
  );
}

/** A label that is not there meets `NotIn` and `DoesNotExist` alone. */
function holds({ operator, values = [] }: NodeRequirement, found: string | undefined): boolean {
  const [bound = ''] = values;
  if (operator === 'In') return found !== undefined && values.includes(found);
  if (operator === 'NotIn') return found === undefined || !values.includes(found);
  if (operator === 'Exists') return found !== undefined;
  if (operator === 'DoesNotExist') return found === undefined;
  if (!/^-?\d+$/.test(found ?? '') || !/^-?\d+$/.test(bound)) return false;
  if (operator === 'Gt') return Number(found) > Number(bound);
  if (operator === 'Lt') return Number(found) < Number(bound);
  return false;
}
