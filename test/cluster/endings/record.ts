import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { kubectl, openBench, type Bench } from './bench.ts';
import { endsByItself } from './ends-by-itself.ts';
import { neverBegins } from './never-begins.ts';
import { neverPlaced } from './never-placed.ts';
import { nodeAway } from './node-away.ts';
import { podLog } from './pod-log.ts';
import { refusedPods } from './refused.ts';
import { startBadRegistry } from './registry.ts';
import { takenAway } from './taken-away.ts';
import type { Scenario, World } from './world.ts';

/**
 * Makes endings happen on the cluster of KUBECONFIG and writes what it showed to fixtures/kubernetes:
 *
 *   node test/cluster/endings/record.ts [row…]
 *
 * Wants kubectl with the rights of an administrator. AME_TEST_TASK_IMAGE has Python 3, AME_TEST_SMALL_IMAGE a shell;
 * AME_TEST_SAME_MACHINE says that nodes reach 127.0.0.1 of this machine, AME_TEST_FREEZE_NODE is a command that is
 * called with `freeze` or `thaw` for the node that AME_TEST_NODE names. What cannot be made to happen is said.
 */
async function main(wanted: readonly string[]): Promise<void> {
  const directory = 'fixtures/kubernetes';
  const images = {
    python: process.env['AME_TEST_TASK_IMAGE'] ?? 'python:3.12-slim',
    small: process.env['AME_TEST_SMALL_IMAGE'] ?? 'busybox:1',
  };
  const namespace = process.env['AME_TEST_NAMESPACE'] ?? 'ame-endings';
  const undos: (() => Promise<unknown>)[] = [];
  const open = async (suffix: string, labels?: { readonly [name: string]: string }): Promise<Bench> => {
    const bench = await openBench(`${namespace}-${suffix}`, images, directory, labels);
    undos.push(() => bench.close());
    return bench;
  };
  const registry = process.env['AME_TEST_SAME_MACHINE'] === undefined ? null : await startBadRegistry();
  const freeze = process.env['AME_TEST_FREEZE_NODE'];
  const bench = await openBench(namespace, images, directory);
  undos.push(() => bench.close());
  const skipped: string[] = [];
  const world: World = {
    bench,
    images,
    open,
    badRegistry: registry?.host ?? null,
    node: process.env['AME_TEST_NODE'] ?? (await lastNode()),
    freeze:
      freeze === undefined
        ? null
        : async (what) => {
            await promisify(execFile)('sh', ['-c', freeze.replace('{}', what)]);
          },
    undo: (action) => undos.push(action),
    skip: (row, why) => skipped.push(`not recorded: ${row}: ${why}`),
  };
  const scenarios = [
    ...endsByItself,
    ...neverPlaced,
    ...refusedPods,
    ...neverBegins,
    ...takenAway,
    ...nodeAway,
    ...podLog,
  ].filter(({ rows }) => wanted.length === 0 || rows.some((row) => wanted.includes(row)));
  try {
    await playAll(scenarios, world, skipped);
  } finally {
    for (const undo of undos.toReversed()) await undo().catch((error: unknown) => console.error(error));
    registry?.server.close();
  }
  for (const line of skipped) console.error(line);
  process.exitCode = skipped.length === 0 ? 0 : 1;
}

/** Eight at a time: most of them wait. */
async function playAll(scenarios: readonly Scenario[], world: World, skipped: string[]): Promise<void> {
  const left = [...scenarios];
  const player = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        await next.play(world);
      } catch (error) {
        skipped.push(
          `not recorded: ${next.rows.join(', ')}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, player));
}

async function lastNode(): Promise<string> {
  const names = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']);
  return names.split(' ').at(-1) ?? '';
}

await main(process.argv.slice(2));
