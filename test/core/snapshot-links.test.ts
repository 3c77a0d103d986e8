import { describe, expect, test } from 'vitest';
import { leavingLinks } from '../../src/core/snapshot/links.ts';

/** Whether `link` leaves, among other links given as `path -> target`. */
function leaves(link: string, others: readonly string[] = []): boolean {
  const links = [link, ...others].map((text) => {
    const [path = '', target = ''] = text.split(' -> ');
    return { path, target };
  });
  return leavingLinks(links).some(({ path }) => path === links[0]?.path);
}

describe('a link', () => {
  test.each<[string, string[]?]>([
    ['a -> b'],
    ['a -> missing/../b'],
    ['d/e/a -> ../../b'],
    ['a -> .'],
    ['d/a -> ..'],
    ['a -> a'],
    ['a -> b', ['b -> a']],
    ['d/a -> ../b/../c', ['b -> e/f']],
    ['a -> x//y/./z'],
  ])('%s stays inside, with %j', (link, others) => {
    expect(leaves(link, others)).toBe(false);
  });

  test.each<[string, string[]?]>([
    ['a -> /etc/passwd'],
    ['a -> /'],
    ['a -> ..'],
    ['d/a -> ../../x'],
    // out and in again still depends on what lies outside
    ['d/a -> ../../workspace/b'],
    ['a -> missing/../../b'],
    // in a place that another link moved
    ['a -> up/..', ['d/x -> ..', 'up -> d/x']],
    ['d/e/a -> ../s/..', ['d/s -> ..']],
    ['a -> b/c', ['b -> /']],
    ['a -> b', ['b -> c', 'c -> ../x']],
  ])('%s leaves, with %j', (link, others) => {
    expect(leaves(link, others)).toBe(true);
  });

  test('is not thought about for long', () => {
    const maze = Array.from({ length: 39 }, (_, i) => `l${i} -> ${`l${i + 1}/`.repeat(400)}`);
    expect(leaves('a -> l0', maze)).toBe(true);
  });
});
