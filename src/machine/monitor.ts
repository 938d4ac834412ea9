import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { TremplinError } from "../base/tremplin-error.ts";

/** How long QEMU may take to answer. Milliseconds. */
const PATIENCE = 10_000;

/** Gives the monitor of a running QEMU one command and returns its answer (QMP, qemu-qmp-ref(7)). */
export async function sendMonitorCommand(
  path: string,
  execute: string,
  args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const socket = createConnection(path);
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    for (const message of [{ execute: "qmp_capabilities" }, { execute, arguments: args, id: "asked" }]) {
      socket.write(`${JSON.stringify(message)}\n`);
    }
    for await (const line of createInterface({ input: socket })) {
      const { id, return: answer, error } = JSON.parse(line) as Record<string, unknown>;
      if (error) throw new Error(JSON.stringify(error));
      if (id === "asked") return answer;
    }
    throw new Error("it hung up");
  } catch (error) {
    const said = (error as Error).message;
    throw new TremplinError("unavailable", `QEMU did not do ${execute} on ${path}: ${said}`, error);
  } finally {
    socket.destroy();
  }
}
