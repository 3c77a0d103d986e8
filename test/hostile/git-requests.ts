import type { BadRequest } from './bad-request.ts';

const zero = '0'.repeat(40);
const some = 'c0ffee'.padEnd(40, '0');

function pkt(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}

/** A push's first lines: commands for refs, and no pack behind them. */
function commands(...refs: readonly string[]): string {
  return `${refs.map((ref, at) => pkt(`${zero} ${some} ${ref}${at === 0 ? '\0report-status' : ''}`)).join('')}0000`;
}

/** Requests at the Git host that lead out of it, or are none that git sends. */
export function gitRequests(token: string): readonly BadRequest[] {
  const authorization = `Basic ${Buffer.from(`ame:${token}`).toString('base64')}`;
  const git = (name: string, status: number, path: string, more: Partial<BadRequest> = {}): BadRequest => ({
    door: 'git',
    name,
    status,
    path,
    ...more,
    headers: { authorization, ...more.headers },
  });
  const refs = '/info/refs?service=git-receive-pack';
  const push = (
    name: string,
    status: number,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): BadRequest =>
    git(name, status, '/git/ada/spam-1.git/git-receive-pack', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-git-receive-pack-request', ...headers },
    });
  const places: Readonly<Record<string, string>> = {
    'a slash in the name': '/git/ada/..%2f..%2fetc',
    'a backslash in the name': '/git/ada/..%5c..%5cetc',
    'a NUL in the name': '/git/ada/spam%00.git',
    'a line end in the name': '/git/ada/spam%0a',
    'an option for the name': '/git/ada/--upload-pack',
    'an option for the owner': '/git/-x/spam',
    'a hidden name': '/git/ada/.git',
    'a lock': '/git/ada/spam.lock',
    'a git directory within': '/git/ada/spam.git.git',
    'another script': '/git/ada/sp%C3%A4m',
    'text turned around': '/git/ada/%E2%80%AEmaps',
    'a name that is too long': `/git/ada/${'x'.repeat(101)}`,
    'a name that is no UTF-8': '/git/ada/%ff%fe',
    'a dollar': '/git/ada/$(touch x)'.replaceAll(' ', '%20'),
    'a semicolon': '/git/ada/a;b',
  };
  const hostileRefs = [
    'refs/heads/../../config',
    'refs/heads/a..b',
    'refs/heads/-x y',
    'refs/heads/a b',
    'refs/heads/a~1',
    'refs/heads/a^',
    'refs/heads/a:b',
    'refs/heads/a?',
    'refs/heads/*',
    'refs/heads/[a',
    'refs/heads/a\\b',
    'refs/heads/a.lock',
    'refs/heads/.a',
    'refs/heads/a//b',
    'refs/heads/a/',
    'refs/heads/@{0}',
    'refs/heads/\u{7f}',
    'refs/heads/\u{1b}[31m',
    'refs/heads/a\nb',
    'HEAD',
    '-x',
    '--all',
    '',
  ];
  const file = (path: string): BadRequest =>
    git(`a file of the repository: ${path}`, 404, `/git/ada/spam-1.git/${path}`);
  return [
    git('no token', 401, `/git/ada/spam-1${refs}`, { headers: { authorization: '' } }),
    git('another token', 401, `/git/ada/spam-1${refs}`, {
      headers: { authorization: `Basic ${Buffer.from('ame:other').toString('base64')}` },
    }),
    git('the token as a bearer', 401, `/git/ada/spam-1${refs}`, {
      headers: { authorization: `Bearer ${token}` },
    }),
    git('the token in the address', 401, `/git/ada/spam-1${refs}&token=${token}`, {
      headers: { authorization: '' },
    }),
    git('the token in a cookie', 401, `/git/ada/spam-1${refs}`, {
      headers: { authorization: '', cookie: `ame_token=${token}` },
    }),
    ...Object.entries(places).map(([name, path]) => git(name, 400, path + refs)),
    // Such an address is made short before any door sees it.
    ...['/git/../spam', '/git/%2e%2e/spam', '/git/ada/%2e%2e', '/git/ada/../../api/v1/nothing'].map((path) =>
      git(`two dots: ${path}`, 404, path + refs),
    ),
    git('no service', 400, '/git/ada/spam-1/info/refs'),
    git('another service', 400, '/git/ada/spam-1/info/refs?service=git-upload-archive'),
    git('a service that is a command', 400, '/git/ada/spam-1/info/refs?service=git-receive-pack;id'),
    git('a repository that is not there', 404, '/git/ada/nobody/info/refs?service=git-upload-pack'),
    ...['HEAD', 'config', 'objects/info/packs', 'info/../config', 'description', 'hooks/post-receive'].map(
      file,
    ),
    git('another site', 403, `/git/ada/spam-1${refs}`, { headers: { origin: 'https://evil.example' } }),
    git('another name of the server', 421, `/git/ada/spam-1${refs}`, { headers: { host: 'evil.example' } }),
    push('a form', 415, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    push('no type', 415, '', { 'content-type': '' }),
    push('the type of a fetch', 415, '', { 'content-type': 'application/x-git-upload-pack-request' }),
    push('packed in another way', 415, '', { 'content-encoding': 'br' }),
    ...hostileRefs.map((ref) => ({
      ...push(`a push of the ref ${JSON.stringify(ref)}`, ref === '' ? 400 : 200, commands(ref)),
      // git's own words, inside its protocol: nothing of it was taken.
      says: ref === '' ? /^a line of the push/ : /^[0-9a-f]{4}unpack (?!ok)/,
    })),
    push('51 refs', 200, commands(...Array.from({ length: 51 }, (_, at) => `refs/heads/b${at}`))),
    push('the same ref twice', 200, commands('refs/heads/a', 'refs/heads/a')),
    push('nothing at all', 400, ''),
    push('no lines', 400, 'hello'),
    push('a line that is longer than the body', 400, 'fff0refs'),
    push('a length that is no number', 400, 'zzzzrefs'),
    push('a length of three', 400, '0003'),
    push('an id that is none', 400, `${pkt(`${'z'.repeat(40)} ${some} refs/heads/a\0report-status`)}0000`),
    push('ids of two lengths', 200, `${pkt(`${zero} ${'c'.repeat(64)} refs/heads/a\0report-status`)}0000`),
    push('no gzip', 400, 'no gzip', { 'content-encoding': 'gzip' }),
  ];
}
