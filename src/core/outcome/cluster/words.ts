import { plainLine } from '../../escape.ts';

const longest = 240;

// containerd and runc wrap what happened into how they came there.
const wrapping =
  /^(?:failed to create (?:containerd|shim) task: |OCI runtime create failed: |(?:container_linux.go:\d+: )?runc create failed: |unable to start container process: |error during container init: )+/u;
const noise = /rpc error: code = \w+ desc = |: unknown(?=$|:)| \(pod: "[^"]*", container: \w+\)/gu;

/**
 * Words of the cluster as they are quoted at the end of a message: one line, bounded, without what every such
 * message repeats, and with one full stop.
 */
export function quoted(text: string): string {
  const line = plainLine(text.slice(0, longest * 8))
    .replaceAll(noise, '')
    .replace(wrapping, '');
  if (line === '') return 'nothing more.';
  const short = line.length > longest ? `${line.slice(0, longest)}…` : line;
  return short.endsWith('…') ? short : short.replace(/[.,;:\s]*$/u, '.');
}

/** A name from outside between backticks. */
export function named(text: string): string {
  return `\`${plainLine(text).replaceAll('`', "'").slice(0, 200)}\``;
}

const powers = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** 1.5 GiB. */
export function size(bytes: number): string {
  let power = 0;
  let value = bytes;
  while (value >= 1024 && power < powers.length - 1) {
    value /= 1024;
    power += 1;
  }
  return `${trimmed(value)} ${powers[power] ?? 'bytes'}`;
}

/** 1.5 cores. */
export function cores(millis: number): string {
  return millis === 1000 ? '1 core' : `${trimmed(millis / 1000)} cores`;
}

/** 1 minute, 90 minutes; whole ones, at least one. */
export function minutes(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds / 60));
  return whole === 1 ? '1 minute' : `${whole} minutes`;
}

function trimmed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
