import { expect, test } from 'vitest';
import { archiveArguments, buildArguments, pushCommands } from '../../deploy/image/builder.ts';

const build = { containerfile: 'deploy/Containerfile', context: '/tmp/c', tag: 'ame:1', base: '' };

test('the base is an argument only where one is named', () => {
  expect(buildArguments(build)).toEqual([
    'build',
    '--file',
    'deploy/Containerfile',
    '--tag',
    'ame:1',
    '/tmp/c',
  ]);
  expect(buildArguments({ ...build, base: 'debian:13' })).toContain('BASE=debian:13');
});

test('docker names the image before it pushes; the others name where to', () => {
  expect(pushCommands('docker', 'ame:1', 'r.example/ame:1', false)).toEqual([
    ['tag', 'ame:1', 'r.example/ame:1'],
    ['push', 'r.example/ame:1'],
  ]);
  expect(pushCommands('buildah', 'ame:1', 'r.example/ame:1', true)).toEqual([
    ['push', '--tls-verify=false', 'ame:1', 'docker://r.example/ame:1'],
  ]);
});

test('an archive carries the name that was asked for', () => {
  expect(archiveArguments('docker', 'ame:1', 'a.tar')).toEqual(['save', '--output', 'a.tar', 'ame:1']);
  expect(archiveArguments('podman', 'ame:1', 'a.tar')).toEqual([
    'push',
    'ame:1',
    'docker-archive:a.tar:ame:1',
  ]);
});
