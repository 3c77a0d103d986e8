import { expect, test } from 'vitest';
import { fileCheck } from '../../src/core/check/file-check.ts';
import { planDigest, planTask } from '../../src/core/plan.ts';
import { PlanError } from '../../src/core/plan/plan-error.ts';
import type { Problem } from '../../src/core/problems.ts';
import type { Project } from '../../src/core/project.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { runLane } from './lane.ts';
import { hostileFile } from './mutated-file.ts';

test('whatever a file holds, it is read, told about and planned without a fault of ours', async () => {
  const found = new Set<string>();
  const cases = await runLane({ name: 'files', few: 200, all: 100_000, share: 0.35 }, (random, index) => {
    const content = hostileFile(random);
    const read = parseProjectFile(content);
    const { project, problems } = read;
    if (index % 50 === 0) expect(parseProjectFile(content)).toEqual(read);
    expect(project === null).toBe(problems.some(({ severity }) => severity === 'error'));
    expect(problems.length).toBeLessThanOrEqual(201);
    const lines = new TextDecoder().decode(content).split('\n');
    expect(problems.filter((problem) => !isInside(lines, problem))).toEqual([]);
    for (const { code, message, remedy } of problems) {
      found.add(code);
      // Nothing that a terminal or a page would act on.
      expect(`${message}${remedy}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
      expect(message.length + remedy.length).toBeLessThan(4_000);
    }
    const check = fileCheck({
      project: project?.name ?? null,
      problems,
      decision: null,
      runs: [],
      externalId: 'x',
      url: null,
    });
    expect(Buffer.byteLength(check.summary) + Buffer.byteLength(check.text ?? '')).toBeLessThanOrEqual(
      131_070,
    );
    if (project !== null) planAll(project);
  });
  // A generator that no longer reaches anything would find nothing.
  if (cases >= 200) expect(found.size).toBeGreaterThan(25);
});

function isInside(lines: readonly string[], { line, column }: Problem): boolean {
  return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? '').length + 1;
}

function planAll(project: Project): void {
  for (const { name } of project.tasks) {
    try {
      expect(planDigest(planTask(project, name).plan)).toMatch(/^[\w:]+$/);
    } catch (error) {
      if (!(error instanceof PlanError)) throw error;
    }
  }
}
