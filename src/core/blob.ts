/** There is no such content, or none that may be seen. */
export class BlobMissingError extends Error {
  override name = 'BlobMissingError';
}

/** Bytes that are not those of the digest they were offered as. */
export class BlobMismatchError extends Error {
  override name = 'BlobMismatchError';
}
