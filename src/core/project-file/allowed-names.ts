/** Names that may be waited for or taken without a cycle: those from which no way leads back to `from`. */
export function allowedFor(
  from: string,
  names: readonly string[],
  nextOf: (name: string) => readonly string[],
): readonly string[] {
  const back = new Map<string, string[]>();
  for (const name of names) {
    for (const next of nextOf(name)) {
      const before = back.get(next);
      if (before === undefined) back.set(next, [name]);
      else before.push(name);
    }
  }
  const refused = new Set([from]);
  for (const name of refused) for (const before of back.get(name) ?? []) refused.add(before);
  return names.filter((name) => !refused.has(name));
}
