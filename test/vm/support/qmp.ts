import { EventEmitter, once } from "node:events";
import { constants, openSync, readdirSync, readFileSync } from "node:fs";
import { socketOn, streamHandle } from "../../../src/base/native/stream-handle.ts";

/** The monitor of the virtual machine that a test runs in, on a port of the machine (QMP). */
export interface Monitor extends Disposable {
  /** Runs a command; rejects with the error of QEMU. */
  run(execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Unplugs a device, and waits until the machine has released it. */
  unplug(id: string): Promise<void>;
}

/** Opens the monitor. There is only one, so only one test file at a time can use it. */
export async function openMonitor(): Promise<Monitor> {
  const fd = openSync(portDevice("qmp"), constants.O_RDWR | constants.O_NONBLOCK);
  const socket = socketOn(await streamHandle(fd, "socket"));
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  const gone = new EventEmitter();
  let text = "";
  socket.on("data", (chunk) => {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.trim() !== "")) {
      const message = JSON.parse(line) as Record<string, unknown>;
      if ("return" in message) waiting.shift()?.resolve(message.return);
      else if (message.event === "DEVICE_DELETED")
        gone.emit(String((message.data as { device?: string }).device));
      else if ("error" in message) waiting.shift()?.reject(new Error(JSON.stringify(message.error)));
    }
  });
  const run: Monitor["run"] = (execute, args) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.push({ resolve, reject });
    socket.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
    return promise;
  };
  await run("qmp_capabilities");
  const unplug = async (id: string): Promise<void> => {
    const deleted = once(gone, id);
    await run("device_del", { id });
    await deleted;
  };
  return { run, unplug, [Symbol.dispose]: () => socket.destroy() };
}

function portDevice(name: string): string {
  const ports = "/sys/class/virtio-ports";
  const found = readdirSync(ports).find(
    (port) => readFileSync(`${ports}/${port}/name`, "utf8").trim() === name,
  );
  if (!found) throw new Error(`this machine has no port ${name}: is it a guest of the tests?`);
  return `/dev/${found}`;
}
