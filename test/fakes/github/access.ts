import type { Level } from './world.ts';

/** Who may call an operation, and which permission of the token it needs, as GitHub documents it. */
export type Access = {
  readonly as: 'app' | 'installation' | 'anyone';
  readonly permission?: readonly [name: string, level: Level];
};

const app: Access = { as: 'app' };
const needs = (name: string, level: Level): Access => ({ as: 'installation', permission: [name, level] });

/** https://docs.github.com/rest/authentication/permissions-required-for-github-apps */
export const access: Readonly<Record<string, Access>> = {
  'apps/get-authenticated': app,
  'apps/list-installations': app,
  'apps/get-installation': app,
  'apps/get-repo-installation': app,
  'apps/create-installation-access-token': app,
  'apps/get-webhook-config-for-app': app,
  'apps/update-webhook-config-for-app': app,
  'apps/list-webhook-deliveries': app,
  'apps/get-webhook-delivery': app,
  'apps/redeliver-webhook-delivery': app,
  'apps/create-from-manifest': { as: 'anyone' },
  'rate-limit/get': { as: 'anyone' },
  'meta/get': { as: 'anyone' },
  'apps/list-repos-accessible-to-installation': needs('metadata', 'read'),
  'repos/get': needs('metadata', 'read'),
  'repos/get-collaborator-permission-level': needs('metadata', 'read'),
  'git/get-ref': needs('contents', 'read'),
  'git/get-tree': needs('contents', 'read'),
  'git/get-blob': needs('contents', 'read'),
  'repos/get-branch': needs('contents', 'read'),
  'repos/get-commit': needs('contents', 'read'),
  'repos/get-content': needs('contents', 'read'),
  'repos/compare-commits-with-basehead': needs('contents', 'read'),
  'pulls/list': needs('pull_requests', 'read'),
  'pulls/get': needs('pull_requests', 'read'),
  'pulls/list-files': needs('pull_requests', 'read'),
  'repos/list-pull-requests-associated-with-commit': needs('pull_requests', 'read'),
  'checks/create': needs('checks', 'write'),
  'checks/update': needs('checks', 'write'),
  'checks/get': needs('checks', 'read'),
  'checks/list-for-ref': needs('checks', 'read'),
  'checks/list-annotations': needs('checks', 'read'),
};
