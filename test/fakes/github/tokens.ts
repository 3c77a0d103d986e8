import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { refuse } from './answer.ts';
import {
  grantedRepositories,
  type FakeInstallation,
  type FakeToken,
  type Level,
  type Permissions,
  type World,
} from './world.ts';

export type Auth =
  | { readonly kind: 'none' }
  | { readonly kind: 'app' }
  | { readonly kind: 'installation'; readonly token: FakeToken };

const levels: readonly Level[] = ['read', 'write', 'admin'];
const minute = 60_000;

/** Who asks, by the `Authorization` header; refuses what proves nothing. */
export function authenticate(world: World, header: string | undefined): Auth {
  if (header === undefined) return { kind: 'none' };
  const [scheme = '', value = ''] = header.split(' ');
  if (!/^(bearer|token)$/i.test(scheme)) refuse(401, 'Bad credentials');
  if (value.split('.').length === 3) {
    checkJwt(world, value);
    return { kind: 'app' };
  }
  return { kind: 'installation', token: findToken(world, value) };
}

/** A token that is good now; 401 and 403 as GitHub has them. */
export function findToken(world: World, value: string): FakeToken {
  const token = world.tokens.get(value);
  if (!token || token.installation.removed || world.now() >= token.expiresAt) refuse(401, 'Bad credentials');
  if (token.installation.suspendedAt !== null) refuse(403, 'This installation has been suspended');
  return token;
}

export function covers(granted: Permissions, name: string, level: Level): boolean {
  const has = granted[name];
  return has !== undefined && levels.indexOf(has) >= levels.indexOf(level);
}

type Wish = {
  readonly repositories?: readonly string[];
  readonly repository_ids?: readonly number[];
  readonly permissions?: Permissions;
};

/** An installation token for an hour, never wider than what was granted. */
export function mintToken(world: World, installation: FakeInstallation, wish: Wish): FakeToken {
  if (installation.suspendedAt !== null) refuse(403, 'This installation has been suspended');
  const granted = grantedRepositories(world, installation);
  const wanted =
    wish.repository_ids || wish.repositories
      ? [
          ...(wish.repository_ids ?? []).map((id) => granted.find((repository) => repository.id === id)),
          ...(wish.repositories ?? []).map((name) =>
            granted.find((repository) => repository.name.toLowerCase() === name.toLowerCase()),
          ),
        ]
      : null;
  if (wanted && wanted.length > 500) refuse(422, 'There are too many repositories in the request.');
  const repositories = wanted && new Set<number>();
  for (const repository of wanted ?? []) {
    if (!repository)
      refuse(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    repositories?.add(repository.id);
  }
  for (const [name, level] of Object.entries(wish.permissions ?? {}))
    if (!covers(installation.permissions, name, level))
      refuse(422, 'The permissions requested are not granted to this installation.');
  // Reading the metadata comes with every token of a repository.
  const permissions = wish.permissions
    ? { metadata: 'read' as const, ...wish.permissions }
    : installation.permissions;
  const token: FakeToken = {
    value: `ghs_${randomBytes(18).toString('hex')}`,
    installation,
    expiresAt: new Date(world.now().getTime() + 60 * minute),
    permissions,
    repositories,
  };
  world.tokens.set(token.value, token);
  return token;
}

function checkJwt(world: World, jwt: string): void {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const head = parse(header);
  const claims = parse(payload);
  const key = createPublicKey(world.app.privateKey);
  const good = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  if (head?.['alg'] !== 'RS256' || !claims) refuse(401, 'A JSON web token could not be decoded');
  if (
    claims['iss'] !== Number(world.app.id) &&
    claims['iss'] !== world.app.id &&
    claims['iss'] !== world.app.clientId
  )
    refuse(404, 'Integration not found');
  if (!good) refuse(401, 'A JSON web token could not be decoded');
  const now = world.now().getTime() / 1_000;
  const { iat, exp } = claims;
  if (typeof iat !== 'number' || iat > now + 1)
    refuse(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  if (typeof exp !== 'number' || exp <= now)
    refuse(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (exp > now + 600 + 1) refuse(401, "'Expiration time' claim ('exp') is too far in the future");
}

function parse(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
