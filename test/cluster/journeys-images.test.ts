import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { lacks, openCluster } from './cluster.ts';
import { readSettings } from './settings.ts';

const { taskImage, smallImage, userImage } = readSettings();
const images = [
  { is: 'Debian', image: taskImage, variable: 'AME_TEST_TASK_IMAGE' },
  { is: 'busybox', image: smallImage, variable: 'AME_TEST_SMALL_IMAGE' },
  { is: 'one whose own user is not root', image: userImage, variable: 'AME_TEST_USER_IMAGE' },
];

const owned = new AsyncDisposableStack();
let ame: ClusterAme;
beforeAll(async () => {
  ame = owned.use(await startClusterAme(owned.use(await openCluster())));
});
afterAll(() => owned.disposeAsync());

describe('a pipeline in an image', { concurrent: true }, () => {
  for (const { is, image, variable } of images)
    test.skipIf(lacks(image, `an image: ${is}`, variable))(`of ${is}`, async () => {
      const repository = await ame.repository();
      const pushed = await repository.push({
        'ame.yaml': text`
          projectname: images
          on: push
          tasks:
            main:
              pipeline:
                make:
                  image: ${image ?? ''}
                  runcommand:
                    - mkdir -p data && ./tool.sh > data/made && chmod 640 data/made
                    - ln -s data/made link
                    - id -u; id -g; echo $HOME; pwd
                    - touch $HOME/own /tmp/own
                use:
                  image: ${image ?? ''}
                  runcommand: [cat link, ls -l data/made | cut -c 1-10, test -x tool.sh]
        `,
        'tool.sh': { script: '#!/bin/sh\necho made\n' },
      });
      expect(pushed.text).toContain('Runs main');
      const run = await ame.ended(repository);
      expect([run.state, run.reason]).toEqual(['succeeded', null]);
      // Both containers are the same user, whoever the image's own is.
      expect(await ame.read.log(run, 'make')).toMatch(/^1000\n1000\n\/\S+\n\/workspace\S*\n$/);
      expect(await ame.read.log(run, 'use')).toBe('made\n-rw-r-----\n');
    });
});
