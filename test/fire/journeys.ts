import { text } from '../journeys/text.ts';
import { bucket, cluster } from './far-journeys.ts';
import { githubJourneys } from './github-journeys.ts';
import { endOf, isRunning, isStill, local, withoutLog, type Journey } from './journey.ts';

const one = text`
  projectname: fire
  on: push
  tasks:
    main: [echo hello, echo made > made]
`;

const six = text`
  projectname: fire
  on: push
  tasks:
    main:
      pipeline:
        fetch: [echo fetched, echo data > data]
        left: {needs: [fetch], runcommand: [cat data, echo left > left]}
        right: {needs: [fetch], runcommand: 'if [ $AME_ATTEMPT = 1 ]; then exit 3; fi; echo right > right', retries: 1}
        join: {needs: [left, right], runcommand: cat data left right}
        never: {needs: [join], if: failure, runcommand: echo never}
        always: {needs: [join], if: always, runcommand: echo over}
`;

const long = text`
  projectname: fire
  on: push
  concurrency: {when_busy: cancel}
  tasks:
    main: [echo begun, sleep 600]
`;

const push = local('push', async (world) => {
  await world.push({ 'ame.yaml': one });
  await world.until(() => isStill(world, 1));
  return endOf(world);
});

const pipeline = local('pipeline of six with a retry', async (world) => {
  await world.push({ 'ame.yaml': six });
  await world.until(() => isStill(world, 1));
  return endOf(world);
});

const forcePush = local('force push over a running run', async (world) => {
  await world.push({ 'ame.yaml': long });
  await world.until(() => isRunning(world));
  await world.clone.git('checkout', '--quiet', '--orphan', 'other');
  await world.clone.commit(
    { 'ame.yaml': one.replace('on: push', 'on: push\nconcurrency: {when_busy: cancel}') },
    { branch: 'other' },
  );
  await world.push(undefined, { refspecs: ['+other:main'] });
  await world.until(() => isStill(world, 2));
  return withoutLog(await endOf(world));
});

export const journeys: readonly Journey[] = [push, pipeline, forcePush, ...githubJourneys, bucket, cluster];
