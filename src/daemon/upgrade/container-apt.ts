import type { AptSystem } from "../mirrors/apt-system.ts";
import type { ContainerExec } from "./container-exec.ts";
import { SIMULATION_FOLDER } from "./simulation-folder.ts";

const MAX_LIST_BYTES = 256 * 1024;

/** The apt of a container. */
export function containerApt(exec: ContainerExec): AptSystem {
  return {
    folder: SIMULATION_FOLDER,
    run: async (command) => (await exec.capture(command)).stdout,
    async writeSecret(path, content) {
      using files = await exec.files();
      await files.create(path, content, { uid: 0, gid: 0, mode: 0o600 });
    },
    async readFile(path) {
      using files = await exec.files();
      const content = await files.read(path, MAX_LIST_BYTES).catch(() => undefined);
      exec.signal.throwIfAborted();
      return content?.toString("latin1");
    },
  };
}
