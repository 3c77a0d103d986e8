import { createAme } from './harness.ts';
import { workspaceStories } from './workspace-stories.ts';

workspaceStories(async () => {
  const ame = await createAme();
  return {
    ...ame,
    async ended(repository) {
      await ame.settle();
      return ame.read.run(repository);
    },
  };
});
