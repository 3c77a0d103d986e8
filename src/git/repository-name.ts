/** How people name a repository of AME's own host. */
export type RepositoryName = { readonly owner: string; readonly name: string };

const part = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Owner and name out of the two parts of an address; one `.git` at the end belongs to the address. Answers
 * with a sentence where they are no names. Names never become paths: directories are numbers.
 */
export function parseRepositoryName(owner: string, address: string): RepositoryName | string {
  const name = address.endsWith('.git') ? address.slice(0, -'.git'.length) : address;
  for (const [what, text] of [
    ['owner', owner],
    ['repository', name],
  ] as const) {
    if (!part.test(text)) {
      return `the name of the ${what} must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 100`;
    }
    if (/\.(?:git|lock)$/i.test(text)) return `the name of the ${what} must not end in .git or .lock`;
  }
  return { owner, name };
}
