import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The machine's NVIDIA GPUs as CUDA_VISIBLE_DEVICES names them; none where there is no driver. */
export async function findGpus(path: string): Promise<readonly string[]> {
  // A driver that hangs must not keep the server from starting.
  const answer = await run('nvidia-smi', ['-L'], { env: { PATH: path }, timeout: 5_000 }).catch(() => null);
  return parseGpuList(answer?.stdout ?? '');
}

/** Reads lines like `GPU 0: NVIDIA A100 (UUID: GPU-…)`. */
export function parseGpuList(text: string): readonly string[] {
  return [...text.matchAll(/^GPU (\d+):/gm)].map((line) => line[1] ?? '');
}
