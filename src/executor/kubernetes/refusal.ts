import type { Classification, OutcomeClass } from '../../core/outcome/classes.ts';
import type { ClusterRefusal } from './cluster-error.ts';

/** What a server's refusal of a Job means: it ends, or it waits, for room or for an administrator who helps AME. */
export type JobRefusal =
  { readonly is: 'held'; readonly why: string } | { readonly is: 'over'; readonly ending: Classification };

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
  // Such as a right or a namespace that is not there: whoever waits is told, because nobody else looks.
  return {
    is: 'held',
    why: `AME may not start it in the namespace ${namespace}, and an administrator has to look (\`ame doctor\`): ${message}`,
  };
}

/** An ending that was decided before anything ran. */
export function endingOf(name: OutcomeClass, reason: string): Classification {
  return { class: name, reason, exitCode: null, signal: null };
}

function over(name: OutcomeClass, reason: string): JobRefusal {
  return { is: 'over', ending: endingOf(name, reason) };
}
