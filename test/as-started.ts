/** Options of Node for processes of the tests: as `ame` itself starts. */
export const asStarted = ['--import', new URL('../src/cli/quick-modules.mjs', import.meta.url).href];
