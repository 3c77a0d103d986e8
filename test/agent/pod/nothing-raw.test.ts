import { once } from 'node:events';
import { readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createMachine, noNamespaces, type Machine } from './machine.ts';

const secret = 'q7Zr-secret-0f-an0ther-K9xw';
/** Where the agent is killed: the secret is printed up to here, and nothing after it. */
const cuts = [8, 13, secret.length - 1, secret.length];

/** Files below these directories with any eight bytes of the secret in a row. */
function leaksBelow(directories: readonly string[]): readonly string[] {
  const pieces = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8));
  return directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => {
        const bytes = readIfThere(path);
        return pieces.some((piece) => bytes.includes(piece));
      }),
  );
}

/** A file that is replaced at this moment is seen at the next. */
function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function createWitness({
  places,
}: Machine): { readonly seen: () => readonly string[]; look(): void } & Disposable {
  const found = new Set<string>();
  const look = (): void => {
    for (const path of leaksBelow([places.state, places.io])) found.add(path);
  };
  const watcher = watch(places.state, { recursive: true }, look);
  return { seen: () => [...found], look, [Symbol.dispose]: () => watcher.close() };
}

test.skipIf(noNamespaces !== null)(
  'a secret that a command prints never lies on the disk, whenever its agent is killed, and the log is whole',
  async () => {
    // Each round prints the secret up to its cut, says on the other pipe that it has, and waits to be let on.
    const rounds = cuts.map((cut, round) =>
      [
        `printf 'round ${round} %.${cut}s' "$KEY"`,
        `echo 'cut ${round}' >&2`,
        `until [ -e "$HERE/on-${round}" ]; do sleep 0.02; done`,
        `printf %s "$KEY" | tail -c +${cut + 1}; echo ' end'`,
      ].join('\n'),
    );
    await using pod = await createMachine({
      script: `HERE=\${0%/*}/.. KEY=$(cat "\${0%/*}/../key")\n${rounds.join('\n')}`,
      input: { secrets: [{ name: 'KEY', value: secret }] },
    });
    writeFileSync(join(dirname(pod.places.io), 'key'), secret);
    using witness = createWitness(pod);
    const entry = pod.entry();
    for (const round of cuts.keys()) {
      const agent = pod.agentProcess();
      await pod.door.printed(1, `cut ${round}\n`);
      agent.kill('SIGKILL');
      await once(agent, 'exit');
      witness.look();
      writeFileSync(join(dirname(pod.places.io), `on-${round}`), '');
    }
    const last = pod.agentProcess();
    expect(await entry).toBe(0);
    last.kill('SIGTERM');
    await once(last, 'exit');
    witness.look();
    expect(pod.text()).toBe(cuts.map((_, round) => `round ${round} *** end\n`).join(''));
    expect(pod.door.text(1, 2)).toBe(cuts.map((_, round) => `cut ${round}\n`).join(''));
    expect(witness.seen()).toEqual([]);
  },
);
