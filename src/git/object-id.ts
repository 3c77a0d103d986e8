/** Lower-case hex of a SHA-1 (40) or SHA-256 (64): what git calls an object id. */
export type ObjectId = string;

const shape = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isObjectId(text: string): boolean {
  return shape.test(text);
}

/** Says "nothing" of a SHA-1 repository, such as for a ref that was not there before. */
export const zeroId: ObjectId = '0'.repeat(40);

/** The id that stands for "nothing" in a push: a ref that was not there before, or is gone afterwards. */
export function isZeroId(id: ObjectId): boolean {
  return /^0+$/.test(id);
}

/** Throws where the text is not a whole object id, so that nothing else ever reaches git's command line as one. */
export function checkObjectId(text: string): ObjectId {
  // The text may be anything a client sent, so only its beginning is repeated.
  if (!isObjectId(text)) throw new TypeError(`not an object id: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

/** The tree without entries, which git knows without storing it; its id depends on the repository's hash. */
export function emptyTree(like: ObjectId): ObjectId {
  return like.length === 64
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
}
