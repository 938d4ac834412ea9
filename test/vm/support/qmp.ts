import { constants, openSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server, Socket } from "node:net";

interface PipeHandle {
  open(fd: number): number;
}

/** The monitor of the virtual machine that a test runs in, on a port of the machine (QMP). */
export interface Monitor extends Disposable {
  /** Runs a command; rejects with what QEMU says against it. */
  run(execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Opens it. There is one, so only one test file at a time can. */
export async function openMonitor(): Promise<Monitor> {
  const fd = openSync(portDevice("qmp"), constants.O_RDWR | constants.O_NONBLOCK);
  const Pipe = await pipeClass();
  const handle = new Pipe(0);
  const code = handle.open(fd);
  if (code !== 0) throw new Error(`the port of the monitor cannot be opened: ${code}`);
  const socket = new Socket({ handle, readable: true, writable: true } as never);
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  let text = "";
  socket.on("data", (chunk) => {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.trim() !== "")) {
      const message = JSON.parse(line) as Record<string, unknown>;
      if ("return" in message) waiting.shift()?.resolve(message.return);
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
  return { run, [Symbol.dispose]: () => socket.destroy() };
}

function portDevice(name: string): string {
  const ports = "/sys/class/virtio-ports";
  const found = readdirSync(ports).find(
    (port) => readFileSync(`${ports}/${port}/name`, "utf8").trim() === name,
  );
  if (!found) throw new Error(`this machine has no port ${name}: is it a guest of the tests?`);
  return `/dev/${found}`;
}

/** Node's own class for a stream that is a file descriptor, which it does not hand out. */
async function pipeClass(): Promise<new (type: number) => PipeHandle> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(`\0pipe-class-${process.pid}`, resolve);
  await promise;
  const handle = (server as Server & { _handle: object })._handle;
  server.close();
  return handle.constructor as new (
    type: number,
  ) => PipeHandle;
}
