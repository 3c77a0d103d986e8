import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deliveries } from './delivery-edits.ts';
import { loadDescription } from './description.ts';
import { mend, type Payload } from './delivery-mending.ts';

/**
 * Makes fixtures/deliveries from the public examples, with their facts edited into one small world. By hand, on a
 * folder in which the package lies; it stops at a payload that GitHub's schema does not accept:
 *
 *   npm install --prefix <folder> --ignore-scripts @octokit/webhooks-examples
 *   node test/fakes/github/make-deliveries.ts <folder>
 */

type Example = { readonly name: string; readonly examples: readonly Payload[] };

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('the folder in which the package lies is missing');
const source = join(folder, 'node_modules', '@octokit', 'webhooks-examples', 'api.github.com', 'index.json');
const target = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'deliveries');
const examples = JSON.parse(await readFile(source, 'utf8')) as readonly Example[];
const description = await loadDescription();

for (const { name, event, from, number, edit } of deliveries) {
  const found = examples.find((one) => one.name === (from ?? event))?.examples[number];
  if (!found) throw new Error(`no example ${number} of ${event}`);
  const payload = mend(structuredClone(found));
  edit?.(payload);
  const faults = description.webhook(event, payload);
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  const action = typeof payload['action'] === 'string' ? payload['action'] : null;
  await writeFile(join(target, `${name}.json`), inLines({ event, action, payload }));
}

/** A line for each part of the payload. */
function inLines(delivery: {
  readonly event: string;
  readonly action: string | null;
  readonly payload: Payload;
}): string {
  const parts = Object.entries(delivery.payload).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  const { event, action } = delivery;
  return `{\n"event": ${JSON.stringify(event)},\n"action": ${JSON.stringify(action)},\n"payload": {\n${parts.join(',\n')}\n}\n}\n`;
}
