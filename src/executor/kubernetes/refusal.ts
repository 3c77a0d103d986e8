import type { Classification, OutcomeClass } from '../../core/outcome/classes.ts';
import { ExecutorAwayError } from '../executor.ts';
import type { ClusterRefusal } from './cluster-error.ts';

/** What a server's refusal of a Job means: it waits for room, it ends, or an administrator has to help AME first. */
export type JobRefusal =
  | { readonly is: 'held'; readonly why: string }
  | { readonly is: 'over'; readonly ending: Classification }
  | { readonly is: 'away'; readonly error: ExecutorAwayError };

/** Reads the API server's words: status codes alone do not tell a quota from a missing right. */
export function jobRefusalOf(refusal: ClusterRefusal, namespace: string): JobRefusal {
  const { message, kind } = refusal;
  if (/exceeded quota/.test(message))
    return { is: 'held', why: `The quota of the namespace is used up: ${message}` };
  if (/admission webhook|ValidatingAdmissionPolicy|denied (the )?request|violates PodSecurity/i.test(message))
    return over('admission_refused', `The cluster's rules refuse it: ${message}`);
  if (kind === 'conflict') return over('start_failed', message);
  if (kind === 'invalid')
    return over('start_failed', `The cluster takes what it needs for invalid: ${message}`);
  const what = `AME cannot create what an attempt needs in the namespace ${namespace}: ${message}`;
  return { is: 'away', error: new ExecutorAwayError(what, { cause: refusal }) };
}

/** An ending that was decided before anything ran. */
export function endingOf(name: OutcomeClass, reason: string): Classification {
  return { class: name, reason, exitCode: null, signal: null };
}

function over(name: OutcomeClass, reason: string): JobRefusal {
  return { is: 'over', ending: endingOf(name, reason) };
}
