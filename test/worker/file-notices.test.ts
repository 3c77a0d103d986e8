import { expect, test } from 'vitest';
import { noRun } from '../../src/core/trigger/decision.ts';
import { withOtherName } from '../../src/worker/file-notices.ts';

test.each(['file-absent', 'file-deleted'])(
  '%s names the file of the other name, where there is one',
  (rule) => {
    const decision = noRun(rule, null, 'There is no file.');
    expect(withOtherName(decision, { misnamed: true }).message).toBe(
      'There is no file. There is ame.yml, which is not read: rename it to ame.yaml.',
    );
    expect(withOtherName(decision, { misnamed: false })).toEqual(decision);
  },
);

test('what was decided on a file that is there says nothing of the other one', () => {
  const decision = noRun('branch-filter', 3, 'The branch is left out.');
  expect(withOtherName(decision, { misnamed: true })).toEqual(decision);
});
