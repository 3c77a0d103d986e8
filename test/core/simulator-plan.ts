import type { Plan } from '../../src/core/plan.ts';
import { conditions } from '../../src/core/project.ts';
import { command } from './project-builder.ts';
import type { Random } from '../random.ts';
import { planOf } from './step-view.ts';

const kept: Plan[] = [];
const most = 256;

/** One of a few hundred plans of up to five tasks: making a plan costs more than stepping it. */
export function simulatedPlan(random: Random): Plan {
  const at = random.below(most);
  return (kept[at] ??= planAt(at));
}

/** By its number alone, so that a seed means the same whatever was simulated before it. */
function planAt(at: number): Plan {
  const tasks = Array.from({ length: 1 + (at % 5) }, (_, index) =>
    command(`t${index}`, {
      if: index === 0 ? 'success' : (conditions[(at >> index) % conditions.length] ?? 'success'),
      needs: index === 0 ? [] : [`t${(at * 7 + index) % index}`],
      retries: { max: (at >> (index + 2)) % 3, on: [{ kind: 'exit', from: 1, to: 255 }], backoff: 10 },
    }),
  );
  return planOf(tasks);
}
