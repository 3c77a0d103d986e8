import type { Manifest } from '../../src/github/manifest.ts';

/** What a browser does at `/setup`: keeps cookies, says where it is, and reads forms. */
export type Browser = {
  /** Follows a redirect, as a browser does by itself. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answered>;
  readonly cookies: ReadonlyMap<string, string>;
  /** As they came, with their attributes. */
  readonly setCookies: readonly string[];
};

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Path of the page that was come to in the end. */
  readonly path: string;
};

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export function openBrowser(origin: string, fetchFrom: Fetch): Browser {
  const cookies = new Map<string, string>();
  const setCookies: string[] = [];

  async function ask(path: string, init: RequestInit): Promise<Answered> {
    const headers = new Headers(init.headers);
    if (!headers.has('host')) headers.set('host', new URL(origin).host);
    if (!headers.has('accept')) headers.set('accept', 'text/html');
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetchFrom(path, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      setCookies.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (response.status === 303 && location !== null) return ask(location, {});
    return { status: response.status, headers: response.headers, text: await response.text(), path };
  }

  return {
    cookies,
    setCookies,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, form, headers = {}) =>
      ask(path, {
        method: 'POST',
        body: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin, ...headers },
      }),
  };
}

/** Where the form on the page goes to, and the manifest that it carries there. */
export function departureOf(page: string): { readonly url: URL; readonly manifest: Manifest } {
  const [, action = ''] = /<form id="departure"[^>]*action="([^"]*)"/.exec(page) ?? [];
  const [, value = ''] = /name="manifest" value="([^"]*)"/.exec(page) ?? [];
  const manifest: Manifest = JSON.parse(unescaped(value));
  return { url: new URL(unescaped(action)), manifest };
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}
