import { Hono } from 'hono';
import type { Context as Ame } from '../context.ts';

export function createPages(_ame: Ame): Hono {
  return new Hono();
}
