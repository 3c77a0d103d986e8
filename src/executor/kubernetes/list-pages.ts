import type { Cluster } from './client.ts';

/** What every object has that is listed or watched. */
export type Listed = { readonly metadata?: { readonly resourceVersion?: string } };

const pageSize = 500;
const pageWithinMs = 30_000;

type Page<Object> = {
  readonly items?: readonly Object[];
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
};

/** Lists page by page and ends with the version that the whole list is of. It is the newest, never a cached one. */
export async function* listPages<Object extends Listed>(
  cluster: Cluster,
  path: string,
  selector: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly Object[], string> {
  let next = '';
  for (;;) {
    signal?.throwIfAborted();
    const query = {
      labelSelector: selector,
      limit: String(pageSize),
      ...(next !== '' && { continue: next }),
    };
    const page = (await cluster.ask({
      method: 'GET',
      path,
      query,
      timeoutMs: pageWithinMs,
      ...(signal && { signal }),
    })) as Page<Object>;
    yield page.items ?? [];
    next = page.metadata?.continue ?? '';
    if (next === '') return page.metadata?.resourceVersion ?? '';
  }
}

/** The same, all at once. */
export async function listAll<Object extends Listed>(
  cluster: Cluster,
  path: string,
  selector: string,
): Promise<readonly Object[]> {
  const all: Object[] = [];
  for await (const page of listPages<Object>(cluster, path, selector)) all.push(...page);
  return all;
}
