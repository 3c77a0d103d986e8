import type { EnvVariable, SecretVariable } from '../project.ts';

/** One namespace for both kinds: whoever speaks last about a name decides whether it is a value or a secret. */
export type Variables = ReadonlyMap<string, { readonly value: string } | { readonly secret: string }>;

export const noVariables: Variables = new Map();

/** Adds a layer on top: what it says about a name replaces what was said below. */
export function layer(
  below: Variables,
  env: readonly EnvVariable[],
  secrets: readonly SecretVariable[],
): Variables {
  if (env.length === 0 && secrets.length === 0) return below;
  const all = new Map(below);
  for (const { name, value } of env) all.set(name, { value });
  for (const { name, secret } of secrets) all.set(name, { secret });
  return all;
}

/** Everything of `above` replaces what `below` says about the same name. */
export function overlay(below: Variables, above: Variables): Variables {
  return above.size === 0 ? below : new Map([...below, ...above]);
}

/** Back to the two lists of a planned task, in the order in which the names first appeared. */
export function split(variables: Variables): {
  readonly env: readonly EnvVariable[];
  readonly secrets: readonly SecretVariable[];
} {
  const env: EnvVariable[] = [];
  const secrets: SecretVariable[] = [];
  for (const [name, variable] of variables) {
    if ('value' in variable) env.push({ name, value: variable.value });
    else secrets.push({ name, secret: variable.secret });
  }
  return { env, secrets };
}
