import { parseProjectFile, refuseLinkedFile } from './core/project-file.ts';
import type { FileAt } from './git/repository.ts';

/** What git calls a symbolic link. */
const linkMode = '120000';

/** Reads an `ame.yaml` as it stands in a commit. */
export function readProjectFile(file: FileAt): ReturnType<typeof parseProjectFile> {
  return file.mode === linkMode ? refuseLinkedFile() : parseProjectFile(file.content);
}
