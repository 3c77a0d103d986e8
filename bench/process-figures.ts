import { readdirSync, readFileSync } from 'node:fs';

// What Linux says of a process under /proc; elsewhere these throw.

/** Of Linux: what /proc counts a process's time in. */
const ticksPerSecond = 100;

/** MiB of memory that are in use by it, shared ones included. */
export function memoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
}

/** Seconds of a processor that it took, user and system. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** How many files, sockets and pipes it has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
