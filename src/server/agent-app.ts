import { Hono } from 'hono';
import type { Context as Ame } from '../context.ts';
import { createAgentDoor } from './agent.ts';
import { refuse } from './agent/refusals.ts';
import { createHealth } from './health.ts';

/** What pods may reach: the door of agents, and whether the server lives. Nothing that people use is behind it. */
export function createAgentApp(ame: Ame): Hono {
  return new Hono()
    .route('/', createHealth(ame))
    .route('/', createAgentDoor(ame))
    .notFound(() => refuse(404, 'not-found', 'there is nothing but the agent’s door here'));
}
