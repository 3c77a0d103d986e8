import { counted } from './wording.ts';
import { define } from './definition.ts';

type Listed = { readonly count: number; readonly paths: readonly string[] };

/** What is worth a word about the commit that the file stands in. */
export const contentProblems = {
  'file-not-read': define<Record<string, never>>({
    severity: 'notice',
    explanation: 'Only `ame.yaml` is read; an `ame.yml` beside it says nothing.',
    example: '# the repository has an ame.yml and an ame.yaml',
    message: () => 'There is an ame.yml beside ame.yaml, and only ame.yaml is read.',
    remedy: () => 'Delete ame.yml, or move what it says into ame.yaml.',
  }),
  'file-is-link': define<Record<string, never>>({
    severity: 'error',
    explanation: 'A symbolic link is not followed: the file must stand in the root itself.',
    example: '# ame.yaml is a symbolic link to config/ame.yaml',
    message: () => 'ame.yaml is a symbolic link, and links are not followed.',
    remedy: () => 'Put the file itself in the root of the repository.',
  }),
  'lfs-pointers': define<Listed>({
    severity: 'warning',
    explanation: 'Files in Git LFS are not fetched: a task finds the pointer, not the content.',
    example: '# the commit has a file whose content is a Git LFS pointer',
    message: (found) =>
      `${counted(found.count, 'file')} in Git LFS: tasks find the pointer, not the content (${listOf(found)}).`,
    remedy: () => 'Fetch the content in a task, or keep the file in the repository itself.',
  }),
  'lfs-attributes': define<Listed>({
    severity: 'warning',
    explanation: '`.gitattributes` keeps files in Git LFS: a task finds the pointer, not the content.',
    example: '# .gitattributes has a line like: *.pt filter=lfs',
    message: (found) =>
      `\`.gitattributes\` keeps ${counted(found.count, 'pattern')} in Git LFS (${listOf(found)}): tasks find the pointers, not the content.`,
    remedy: () => 'Fetch the content in a task, or keep the files in the repository itself.',
  }),
  submodules: define<Listed>({
    severity: 'warning',
    explanation: 'Submodules are not fetched: a task finds an empty directory.',
    example: '# the commit has a submodule',
    message: (found) =>
      `${counted(found.count, 'submodule')}: tasks find an empty directory there (${listOf(found)}).`,
    remedy: () => 'Fetch what is needed in a task, or copy it into the repository.',
  }),
};

function listOf({ count, paths }: Listed): string {
  const more = count - paths.length;
  return paths.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
