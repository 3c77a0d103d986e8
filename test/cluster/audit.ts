import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { z } from 'zod';

const Line = z.object({
  stage: z.string(),
  verb: z.string(),
  userAgent: z.string().optional(),
  objectRef: z
    .object({ namespace: z.string().optional(), name: z.string().optional(), resource: z.string() })
    .optional(),
});

const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** AME's writes in a namespace by the name of what was written, as the API server's audit log counts them. */
export async function writesOf(
  auditLog: string,
  namespace: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for await (const text of createInterface(createReadStream(auditLog))) {
    // The log is long, and most of it is of others.
    if (!text.includes(namespace)) continue;
    const { stage, verb, userAgent, objectRef } = Line.parse(JSON.parse(text));
    if (stage !== 'ResponseComplete' || userAgent !== 'ame' || objectRef?.namespace !== namespace) continue;
    if (!writes.has(verb)) continue;
    const name = objectRef.name ?? '';
    found.set(name, [...(found.get(name) ?? []), `${verb} ${objectRef.resource}`]);
  }
  return found;
}

const perAttempt = ['create jobs', 'create secrets', 'delete jobs'];

/**
 * Each attempt of a namespace, however it ended, cost at most three writes, none of them twice. Answers with the attempts
 * that were written, and with what was written of projects. To be asked once nothing is left.
 */
export async function expectFewWrites(
  auditLog: string,
  namespace: string,
): Promise<{
  readonly attempts: readonly number[];
  readonly projects: ReadonlyMap<string, readonly string[]>;
}> {
  const attempts: number[] = [];
  const projects = new Map<string, readonly string[]>();
  for (const [name, writes] of await writesOf(auditLog, namespace)) {
    const [, kind, id] = /^ame-(attempt|project)-(\d+)$/.exec(name) ?? [];
    expect(['attempt', 'project'], name).toContain(kind);
    if (kind === 'project') projects.set(name, writes);
    else {
      expect(perAttempt, name).toEqual(expect.arrayContaining([...writes]));
      expect(new Set(writes).size, `${name}: ${writes.join(', ')}`).toBe(writes.length);
      attempts.push(Number(id));
    }
  }
  return { attempts, projects };
}
