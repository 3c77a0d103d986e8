import { appCall, asApp, type Answer } from './connect.ts';
import type { Github } from './connection.ts';
import { perform } from './send.ts';

/** A delivery as GitHub remembers it: three days long, on GitHub Enterprise Server seven. */
export type HookDelivery = {
  /** Of this attempt; another attempt of the same delivery has another id and the same `guid`. */
  readonly id: string;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly deliveredAt: Date;
  readonly redelivery: boolean;
  /** In GitHub's words, such as `OK` or `failed to connect to host`. */
  readonly status: string;
  /** What we answered; 0 where GitHub could not reach us. */
  readonly statusCode: number;
  readonly installationId: string | null;
  readonly repositoryId: string | null;
};

const perPage = 100;

/** Attempts to deliver since a time, newest first. One request for each hundred; stop reading and no more are made. */
export async function* listHookDeliveries(
  github: Github,
  { since }: { readonly since: Date },
): AsyncGenerator<HookDelivery> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const answer: Answer<'GET /app/hook/deliveries'> = await asApp(github, 'GET /app/hook/deliveries', {
      per_page: perPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const delivery of answer.data.map(deliveryOf)) {
      if (delivery.deliveredAt < since) return;
      yield delivery;
    }
    cursor = nextCursor(answer.headers.link);
  }
}

/**
 * Asks GitHub to deliver again: it comes with the same GUID. Throws `GithubGoneError` or `GithubRefusedError` where
 * GitHub does not keep it any more.
 */
export async function redeliver(github: Github, id: string): Promise<void> {
  const route = 'POST /app/hook/deliveries/{delivery_id}/attempts';
  // Ids of deliveries may be too long for a number, so this one stays text.
  if (!/^\d{1,20}$/.test(id)) throw new RangeError(`'${id.slice(0, 40)}' is no id of a delivery`);
  const [method, url] = ['POST', '/app/hook/deliveries/{delivery_id}/attempts'];
  await perform(github, { method, url, delivery_id: id }, appCall(github, route));
}

/** The place of the next page out of a Link header; the header's address itself is not called. */
function nextCursor(link: string | number | undefined): string | null {
  const next = /<([^<>]*)>;\s*rel="next"/.exec(String(link ?? ''))?.[1];
  return next === undefined ? null : (URL.parse(next)?.searchParams.get('cursor') ?? null);
}

function deliveryOf(delivery: Answer<'GET /app/hook/deliveries'>['data'][number]): HookDelivery {
  const { installation_id: installationId, repository_id: repositoryId } = delivery;
  return {
    id: String(delivery.id),
    guid: delivery.guid,
    event: delivery.event,
    action: delivery.action,
    deliveredAt: new Date(delivery.delivered_at),
    redelivery: delivery.redelivery,
    status: delivery.status,
    statusCode: delivery.status_code,
    installationId: installationId === null ? null : String(installationId),
    repositoryId: repositoryId === null ? null : String(repositoryId),
  };
}
