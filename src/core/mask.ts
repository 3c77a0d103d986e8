import { secretForms } from './mask/secret-forms.ts';
import { buildAutomaton, step } from './mask/automaton.ts';
import { buildSkip, skipFrom } from './mask/skip.ts';

/** Removes secrets from one stream of bytes, however it is cut into pieces. */
export type Masker = {
  /** Answers with all bytes that are decided; only what may be the beginning of a secret stays behind. */
  push(bytes: Uint8Array): Uint8Array;
  /** The rest, when nothing more will come. */
  end(): Uint8Array;
  /** A copy of what stays behind, which another masker of the same values goes on from when it is pushed first. */
  held(): Uint8Array;
};

/** Overlapping secrets are hidden behind one of these. */
const stars = new TextEncoder().encode('***');
const nothing = new Uint8Array(0);

/** From `start` to `end`, counted from the beginning of the stream. */
type Span = { start: number; end: number };

/**
 * Hides every spelling (`secretForms`) of these values in a stream of bytes behind `***`. Linear in the
 * length of the stream; without secrets it passes everything on untouched.
 */
export function createMasker(secrets: readonly string[]): Masker {
  const forms = new Set(secrets.flatMap((secret) => [...secretForms(secret)]));
  if (forms.size === 0) return { push: (bytes) => bytes, end: () => nothing, held: () => nothing };

  const patterns = [...forms].map((form) => new TextEncoder().encode(form));
  const automaton = buildAutomaton(patterns);
  const skip = buildSkip(patterns);
  const { root, depth, match } = automaton;
  let state = 0;
  /** Bytes seen that are not decided yet; they end at `seen`. */
  let held: Uint8Array = nothing;
  let seen = 0;
  /** Secrets that are not wholly behind `seen - held.length`, apart from each other and in order. */
  let spans: Span[] = [];

  function push(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return nothing;
    const data = held.length === 0 ? bytes : concat([held, bytes]);
    const origin = seen - held.length;
    for (let index = held.length; index < data.length; index += 1) {
      // Seven to eighteen times as fast as a step of the automaton for each byte (measured with ten secrets).
      if (state === 0 && skip !== null) index = skipFrom(skip, data, index);
      const byte = data[index] ?? 0;
      if (state === 0) {
        state = root[byte] ?? 0;
        // A pattern of one byte ends right here; every other one goes on.
        if (state === 0) continue;
      } else {
        state = step(automaton, state, byte);
      }
      const length = match[state] ?? 0;
      if (length > 0) addSpan(spans, origin + index + 1 - length, origin + index + 1);
    }
    seen = origin + data.length;
    return release(data, origin, seen - (depth[state] ?? 0));
  }

  /** Everything before `limit`, and after it what a secret hides already; the rest is held. */
  function release(data: Uint8Array, origin: number, limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let position = origin;
    for (const span of spans) {
      // It may still be joined from the left by a secret that begins at the limit.
      if (span.start > limit) break;
      if (span.start >= position) parts.push(data.subarray(position - origin, span.start - origin), stars);
      position = Math.max(position, span.end);
    }
    if (position < limit) {
      parts.push(data.subarray(position - origin, limit - origin));
      position = limit;
    }
    // Secrets still to come begin at the limit or behind it.
    spans = spans.filter((span) => span.end > limit);
    // A copy: the caller may use its buffer again.
    held = data.slice(position - origin);
    return parts.length === 1 ? (parts[0] ?? nothing) : concat(parts);
  }

  return {
    push,
    held: () => held.slice(),
    end() {
      const rest = release(held, seen - held.length, seen);
      state = 0;
      spans = [];
      return rest;
    },
  };
}

/** Joins a new span, which ends behind all others, with those that it overlaps. */
function addSpan(spans: Span[], start: number, end: number): void {
  let from = start;
  for (let last = spans.at(-1); last !== undefined && last.end > from; last = spans.at(-1)) {
    from = Math.min(from, last.start);
    spans.pop();
  }
  spans.push({ start: from, end });
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
