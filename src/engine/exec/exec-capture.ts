import type { Readable } from "node:stream";
import type { Exec, ExecRequest } from "./exec.ts";

export type CaptureOptions = Omit<ExecRequest, "command" | "terminal"> & {
  /** The limit for each of stdout and stderr. Default 1 MiB. */
  readonly maxBytes?: number;
};

export interface Captured {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the command wrote more than the limit; it does not notice. */
  readonly truncated: boolean;
}

/** Runs a command to its end and returns the beginning of its output as UTF-8 text. */
export async function capture(
  exec: Exec,
  instance: string,
  command: readonly string[],
  { maxBytes = 1024 * 1024, ...options }: CaptureOptions,
): Promise<Captured> {
  await using session = await exec.start(instance, { ...options, command });
  const [exitCode, stdout, stderr] = await Promise.all([
    session.exitCode,
    keep(session.stdout, maxBytes),
    keep(session.stderr, maxBytes),
  ]);
  const truncated = stdout.truncated || stderr.truncated;
  return { exitCode, stdout: stdout.text, stderr: stderr.text, truncated };
}

async function keep(stream: Readable, maxBytes: number): Promise<{ text: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.length;
  }
  return { text: Buffer.concat(chunks).toString(), truncated: bytes > maxBytes };
}
