import type { Report } from './report.ts';
import { walkStructure } from './structure.ts';

const mostDepth = 64;
const mostAliases = 100;

/**
 * Whether the text may be given to the parser: nested at most 64 deep, at most 100 aliases.
 */
export function isWithinBounds(text: string, report: Report): boolean {
  let aliases = 0;
  let firstBeyond = { line: 1, column: 1, path: '' };
  for (const token of walkStructure(text)) {
    const at = { line: token.line, column: token.column + 1, path: '' };
    if (token.depth > mostDepth) {
      report('too-deep', at, { most: mostDepth });
      return false;
    }
    if (token.type === 'alias') {
      aliases += 1;
      if (aliases === mostAliases + 1) firstBeyond = at;
    }
  }
  if (aliases <= mostAliases) return true;
  report('too-many-aliases', firstBeyond, { count: aliases, most: mostAliases });
  return false;
}
