/** What the environment says about the cluster that the tests run on. Only KUBECONFIG is needed. */
export type ClusterSettings = {
  readonly kubeconfig: string;
  /** AME's own; null: the published one of this version. */
  readonly image: string | null;
  /** An image of AME that runs before an upgrade; null: the same one under another command. */
  readonly imageBefore: string | null;
  /** Debian with Python. */
  readonly taskImage: string;
  /** Small, with a `sh` that is not bash's kin. */
  readonly smallImage: string;
  /** For the overlay that brings its own Postgres. */
  readonly postgresImage: string | null;
  /** A directory of this machine that every node has at the same place, for disks where the cluster makes none. */
  readonly disk: string | null;
  /** Address of this machine as pods reach it; null: AME finds it. */
  readonly agentHost: string | null;
  /** The API server's audit log, JSON lines, where it can be read. */
  readonly auditLog: string | null;
  /** Commands in which `{node}` is a node's name: its kubelet stops to answer, and answers again. */
  readonly freezeNode: string | null;
  readonly thawNode: string | null;
  /** Commands after which the API server says nothing and speaks again, is gone and is there again. */
  readonly freezeApi: string | null;
  readonly thawApi: string | null;
  readonly killApi: string | null;
  readonly startApi: string | null;
  /** An image whose own user is neither root nor the one that AME's pods have. */
  readonly userImage: string | null;
  /** Whether what takes many minutes is to be done as well. */
  readonly heavy: string | null;
};

export function readSettings(): ClusterSettings {
  const read = (name: string): string | null => process.env[name]?.trim() || null;
  return {
    kubeconfig: read('KUBECONFIG') ?? '',
    image: read('AME_TEST_IMAGE'),
    imageBefore: read('AME_TEST_IMAGE_BEFORE'),
    taskImage: read('AME_TEST_TASK_IMAGE') ?? 'python:3.12-slim',
    smallImage: read('AME_TEST_SMALL_IMAGE') ?? 'busybox:1.36',
    postgresImage: read('AME_TEST_POSTGRES_IMAGE'),
    disk: read('AME_TEST_DISK'),
    agentHost: read('AME_TEST_AGENT_HOST'),
    auditLog: read('AME_TEST_AUDIT_LOG'),
    freezeNode: read('AME_TEST_FREEZE_NODE'),
    thawNode: read('AME_TEST_THAW_NODE'),
    freezeApi: read('AME_TEST_FREEZE_API'),
    thawApi: read('AME_TEST_THAW_API'),
    killApi: read('AME_TEST_KILL_API'),
    startApi: read('AME_TEST_START_API'),
    userImage: read('AME_TEST_USER_IMAGE'),
    heavy: read('AME_TEST_HEAVY'),
  };
}
