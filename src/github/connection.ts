import type { Octokit } from '@octokit/rest';
import type { KeptAnswers } from './kept-answers.ts';
import type { Limits } from './limits.ts';

/** `renewAt` in seconds since 1970. */
export type SignedJwt = { readonly token: string; readonly renewAt: number };

/** `renewAt`: before it is over, so that what starts with it also ends with it. */
export type Token = { readonly text: string; readonly renewAt: Date };

export type Tokens = { readonly ready: Map<string, Token>; readonly asked: Map<string, Promise<Token>> };

/** Who asks, and how the answer is to be treated. */
export type Call = {
  readonly installationId: string | null;
  /** Under which name limits are kept. */
  readonly limit: string;
  /** Under which name answers are kept: what one scope was told, no other scope reads. */
  readonly scope: string;
  /** Null: the call needs none. */
  readonly authorization: string | null;
  readonly route: string;
  readonly conditional?: boolean;
};

/** `privateKey` is PEM text, PKCS#1 as GitHub gives it or PKCS#8; a literal `\n` stands for a line's end. */
export type GithubApp = { readonly id: string; readonly privateKey: string };

/** A repository as an installation sees it. `hostId` is GitHub's numeric id: it identifies, the names only address. */
export type GithubRepository = {
  readonly installationId: string;
  readonly hostId: string;
  readonly owner: string;
  readonly name: string;
};

/** What of a logger this room uses. */
export type GithubLog = {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/** One exchange over the wire. `status` is 0 where no answer came; `cached` where GitHub said 304. */
export type GithubRequest = {
  readonly installationId: string | null;
  readonly route: string;
  readonly status: number;
  readonly cached: boolean;
};

export type RequestCount = {
  readonly requests: number;
  readonly notModified: number;
  readonly tokens: number;
};

/** One App on one GitHub, with what is remembered between calls. Nothing of it outlives the process. */
export type Github = {
  readonly app: GithubApp;
  readonly apiUrl: string;
  readonly webUrl: string;
  readonly octokit: Octokit;
  readonly clock: () => Date;
  /** Made anew for each exchange: ends it when it fires. */
  readonly timeout: () => AbortSignal;
  readonly log: GithubLog | null;
  readonly onRequest: (request: GithubRequest) => void;
  readonly jwt: { signed: SignedJwt | null };
  readonly tokens: Tokens;
  readonly limits: Limits;
  readonly kept: KeptAnswers;
  /** By installation; what the App asks for itself is under the empty text. */
  readonly counts: Map<string, RequestCount>;
};
