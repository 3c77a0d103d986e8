/**
 * Answers that GitHub may be asked about by their ETag. Bounded by bytes; what was not used for longest goes first.
 * A Map keeps the order of insertion, so an answer that is used is inserted anew.
 */
export type KeptAnswers = {
  readonly answers: Map<string, KeptAnswer>;
  bytes: number;
  readonly mostBytes: number;
};

export type KeptAnswer = {
  readonly etag: string;
  readonly contentType: string;
  /** Needed to walk pages: the address of the next one. */
  readonly link: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
};

const defaultBytes = 64 * 1024 * 1024;

export function createKeptAnswers(mostBytes: number = defaultBytes): KeptAnswers {
  return { answers: new Map(), bytes: 0, mostBytes };
}

/** The answer kept under this key, which must name everything that it depends on: also who asked. */
export function findAnswer(kept: KeptAnswers, key: string): KeptAnswer | null {
  const answer = kept.answers.get(key);
  if (!answer) return null;
  kept.answers.delete(key);
  kept.answers.set(key, answer);
  return answer;
}

/** Keeps an answer, and drops the ones used longest ago until all fit. One that takes a quarter by itself is not kept. */
export function keepAnswer(kept: KeptAnswers, key: string, answer: KeptAnswer): void {
  dropAnswer(kept, key);
  const size = sizeOf(key, answer);
  if (size > kept.mostBytes / 4) return;
  kept.answers.set(key, answer);
  kept.bytes += size;
  for (const oldest of kept.answers.keys()) {
    if (kept.bytes <= kept.mostBytes) break;
    dropAnswer(kept, oldest);
  }
}

export function dropAnswer(kept: KeptAnswers, key: string): void {
  const answer = kept.answers.get(key);
  if (!answer) return;
  kept.answers.delete(key);
  kept.bytes -= sizeOf(key, answer);
}

/** Texts take up to two bytes a character; an entry's own objects about 200. */
function sizeOf(key: string, { etag, contentType, link, body }: KeptAnswer): number {
  return body.byteLength + 2 * (key.length + etag.length + contentType.length + (link?.length ?? 0)) + 200;
}
