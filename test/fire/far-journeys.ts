import { createFakeS3 } from '../storage/s3-fake.ts';
import { text } from '../journeys/text.ts';
import { startFakeKubernetes } from '../fakes/kubernetes/server.ts';
import { createNode } from './cluster-node.ts';
import { endOf, isStill, local } from './journey.ts';

const two = text`
  projectname: fire
  on: push
  tasks:
    main:
      pipeline:
        make: [echo made, echo content > content]
        use: {needs: make, runcommand: cat content}
`;

/** Content goes into a bucket and comes out of it. */
export const bucket = local(
  'content in a bucket',
  async (world) => {
    await world.push({ 'ame.yaml': two });
    await world.until(() => isStill(world, 1));
    return endOf(world);
  },
  async () => {
    const s3 = await createFakeS3();
    const { endpoint, accessKeyId, secretAccessKey } = s3.options;
    return {
      env: {
        AME_S3_ENDPOINT: endpoint,
        AME_S3_BUCKET: s3.options.bucket,
        AME_S3_ACCESS_KEY_ID: accessKeyId,
        AME_S3_SECRET_ACCESS_KEY: secretAccessKey,
      },
      [Symbol.asyncDispose]: () => s3[Symbol.asyncDispose](),
    };
  },
);

const onCluster = text`
  projectname: fire
  on: push
  tasks:
    main:
      pipeline:
        first: echo first
        second: {needs: first, runcommand: echo second}
`;

/** Attempts are Jobs of a cluster, whose node speaks to the agent's door over HTTP. */
export const cluster = local(
  'two Jobs of a cluster',
  async (world) => {
    await world.push({ 'ame.yaml': onCluster });
    await world.until(() => isStill(world, 1));
    return endOf(world);
  },
  async () => {
    const fake = await startFakeKubernetes();
    const node = createNode(fake);
    return {
      env: {
        AME_EXECUTOR: 'kubernetes',
        KUBECONFIG: fake.kubeconfig,
        AME_AGENT_URL: 'http://127.0.0.1:1',
      },
      begun: ({ address }) => node.reach(address),
      async [Symbol.asyncDispose]() {
        await node[Symbol.asyncDispose]();
        await fake[Symbol.asyncDispose]();
      },
    };
  },
);
