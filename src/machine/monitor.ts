import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { TremplinError } from "../base/tremplin-error.ts";

const ANSWER_TIMEOUT_MS = 10_000;

/** Sends one command to the monitor of a running QEMU and returns the answer (QMP, qemu-qmp-ref(7)). */
export async function sendMonitorCommand(
  path: string,
  execute: string,
  args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const socket = createConnection(path);
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    for (const message of [{ execute: "qmp_capabilities" }, { execute, arguments: args, id: "command" }]) {
      socket.write(`${JSON.stringify(message)}\n`);
    }
    for await (const line of createInterface({ input: socket })) {
      const { id, return: answer, error } = JSON.parse(line) as Record<string, unknown>;
      if (error) throw new Error(JSON.stringify(error));
      if (id === "command") return answer;
    }
    throw new Error("it closed the connection");
  } catch (error) {
    const reason = (error as Error).message;
    throw new TremplinError("unavailable", `QEMU did not execute ${execute} on ${path}: ${reason}`, error);
  } finally {
    socket.destroy();
  }
}
