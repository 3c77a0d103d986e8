import type { Figures } from './figures.ts';
import { benchGithubCalls } from './github-calls.ts';
import { benchStart } from './start.ts';

const benches: Readonly<Record<string, () => Promise<Figures>>> = {
  start: benchStart,
  'github-calls': benchGithubCalls,
};

/** `npm run bench -- <name>`: runs one benchmark, or all, and prints one JSON object for each. */
const [name] = process.argv.slice(2);
const chosen = name === undefined ? Object.keys(benches) : [name];
for (const each of chosen) {
  const bench = benches[each];
  if (!bench) {
    console.error(`there is no benchmark ${each}; there is ${Object.keys(benches).join(', ')}`);
    process.exitCode = 2;
    continue;
  }
  console.log(JSON.stringify(await bench()));
}
