import { TremplinError } from "../tremplin-error.ts";

/**
 * Loads a module that calls the C library; only those who need it load it (docs/decisions/0007-vsock.md). Throws
 * `failed` when koffi is not installed or does not support this machine.
 */
export async function loadNative<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new TremplinError(
      "failed",
      `cannot call the C library by koffi (${(error as Error).message}); run scripts/prepare again, and for vsock see socat in docs/command-line.md`,
      error,
    );
  }
}
