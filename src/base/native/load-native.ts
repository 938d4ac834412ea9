import { TremplinError } from "../tremplin-error.ts";

/**
 * Loads a module that makes calls of the C library, by those alone who need it (decision 7). Throws `failed` where it
 * cannot be: koffi is not installed, or has nothing for this machine or its C library.
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
