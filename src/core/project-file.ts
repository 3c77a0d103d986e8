import { LineCounter, parseDocument } from 'yaml';
import type { Problem } from './problems.ts';
import type { Project } from './project.ts';
import { isWithinBounds } from './project-file/bounds.ts';
import { readProject } from './project-file/read-project.ts';
import { collectProblems } from './project-file/report.ts';
import { readText } from './project-file/text.ts';
import { buildTree } from './project-file/tree.ts';

/**
 * Reads an `ame.yaml`. `project` is `null` exactly when a problem has severity error; problems come in the order
 * of the file. Never throws, whatever the content, and takes bounded time and memory.
 */
export function parseProjectFile(content: Uint8Array | string): { project: Project | null; problems: Problem[] } {
  const { report, problems } = collectProblems();
  const text = readText(content, report);
  if (text === null || !isWithinBounds(text, report)) return { project: null, problems };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
  const project = readProject(buildTree(document, text, lines, report), report);
  problems.sort((one, other) => one.line - other.line || one.column - other.column);
  return { project: problems.some(({ severity }) => severity === 'error') ? null : project, problems };
}
