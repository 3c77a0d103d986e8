import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { isSecure, isToken } from '../access.ts';

/** Someone who gave the token at `/setup`, in one browser. */
export type SetupSession = {
  until: Date;
  /** What GitHub is to send back; null: nothing is on its way. */
  expected: Expected | null;
  /** What became of it. */
  made: MadeApp | null;
};

export type Expected = {
  readonly state: string;
  readonly publicUrl: string;
  readonly organization: string | null;
};

/** An App that is stored; `trouble` is what went wrong when it was tried. */
export type MadeApp = {
  readonly name: string;
  readonly owner: string;
  readonly pageUrl: string;
  readonly publicUrl: string;
  readonly trouble: string | null;
};

/**
 * Who may go on at `/setup`. Kept in memory: the token is asked for again after a restart, and by every process that
 * has a token of its own.
 */
export type SetupSessions = {
  /** The session of the browser that asks, if it has one that is not over. */
  find(c: Context): SetupSession | null;
  open(c: Context): SetupSession;
  /** A state that GitHub is to send back to this browser, once, within the hour. */
  expect(c: Context, session: SetupSession, of: Omit<Expected, 'state'>): Expected;
  /** What was expected, if this is its state; it is expected no more. */
  take(session: SetupSession, state: string): Expected | null;
};

const cookieName = 'ame_setup';

/** GitHub's own code is good for an hour too. */
const lastsMs = 3_600_000;

export function createSetupSessions(options: {
  readonly clock: () => Date;
  readonly https: boolean;
}): SetupSessions {
  const { clock, https } = options;
  const sessions = new Map<string, SetupSession>();

  /** Of what is kept, and of the cookie that leads there. */
  function prolong(c: Context, id: string, session: SetupSession): void {
    session.until = new Date(clock().getTime() + lastsMs);
    setCookie(c, cookieName, id, {
      httpOnly: true,
      // GitHub sends the browser back from its own site, which a strict cookie would not survive.
      sameSite: 'Lax',
      path: '/setup',
      maxAge: lastsMs / 1_000,
      secure: isSecure(c, https),
    });
  }

  function find(c: Context): SetupSession | null {
    const session = sessions.get(getCookie(c, cookieName) ?? '');
    return session && session.until > clock() ? session : null;
  }

  return {
    find,
    open(c) {
      for (const [id, { until }] of sessions) if (until <= clock()) sessions.delete(id);
      const id = randomBytes(32).toString('base64url');
      const session: SetupSession = { until: clock(), expected: null, made: null };
      sessions.set(id, session);
      prolong(c, id, session);
      return session;
    },
    expect(c, session, of) {
      const expected = { ...of, state: randomBytes(32).toString('base64url') };
      session.expected = expected;
      prolong(c, getCookie(c, cookieName) ?? '', session);
      return expected;
    },
    take(session, state) {
      const { expected } = session;
      if (expected === null || !isToken(state, expected.state)) return null;
      session.expected = null;
      return expected;
    },
  };
}
