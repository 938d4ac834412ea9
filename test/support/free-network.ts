import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileLock, tryLockFile } from "../../src/base/files/file-lock.ts";
import { overlaps } from "../../src/daemon/supervisor/network/subnet.ts";
import { usedSubnets } from "../../src/daemon/supervisor/network/used-subnets.ts";
import { bridgePrefix } from "./test-run.ts";

/** A bridge name and an IPv4 subnet that are nobody else's until this is disposed. Neither is made here. */
export interface FreeNetwork extends AsyncDisposable {
  /** At most 15 characters, as the kernel wants it. */
  readonly bridge: string;
  /** The bridge's own address with its prefix length: 10.213.7.1/24. */
  readonly subnet: string;
  /** How each address in the subnet begins: "10.213.7." */
  readonly addressPrefix: string;
}

/** Finds a network that no interface and no route of this machine uses, and no other test that runs now. */
export async function freeNetwork(): Promise<FreeNetwork> {
  const locks = join(tmpdir(), "tremplin-test-subnets");
  await mkdir(locks, { recursive: true });
  for (let third = 0; third < 256; third++) {
    const subnet = { address: `10.213.${third}.1`, prefix: 24 };
    const lock = await tryLockFile(join(locks, `${third}`), new AbortController().signal);
    if (!lock) continue;
    // Looked at under the lock: who had it before may not have taken its bridge down yet.
    if ((await usedSubnets()).some((used) => overlaps(subnet, used))) await lock[Symbol.asyncDispose]();
    else return reserved(third, lock);
  }
  throw new Error("no subnet of 10.213.0.0/16 is free for a test");
}

function reserved(third: number, lock: FileLock): FreeNetwork {
  const addressPrefix = `10.213.${third}.`;
  return {
    bridge: `${bridgePrefix()}${third}`,
    subnet: `${addressPrefix}1/24`,
    addressPrefix,
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}
