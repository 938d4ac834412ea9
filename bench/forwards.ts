import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../src/base/async/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import { Engine } from "../src/engine/engine.ts";
import { serveHost } from "../src/host/serve-host.ts";
import { readTls } from "../src/transport/tls.ts";
import { Authority } from "../src/trust/authority.ts";
import type { TestDaemon } from "../test/support/daemon.ts";
import { runInside } from "../test/support/run-inside.ts";
import { createTiny, launchedDaemon, startContainer } from "../test/support/tiny-container.ts";
import { median, ms } from "./measure.ts";
import { TUNNEL_PORT, type TunnelGuest } from "./tunnel-guest.ts";

const BYTES = 2_000_000_000;
const ROUNDS = 5;
const OPENINGS = 20;
const PORT = 24_680;

/** Sends without end to whoever connects. Runs in the network of the container, with the speed of a program of the guest. */
const SENDER = `const { createServer } = require("node:net");
const block = Buffer.alloc(256 * 1024);
createServer((socket) => {
  const send = () => { while (socket.write(block)); };
  socket.on("drain", send).on("error", () => undefined);
  send();
}).listen(${PORT}, "0.0.0.0", () => console.log("open"));`;

/** Prints the bytes a second through a forward and over the bridge, and the time from listen to the host's port. */
export async function benchForwards(): Promise<void> {
  await using daemon = await launchedDaemon();
  const address = { kind: "unix", path: join(daemon.folder, "state/lxd/unix.socket") } as const;
  await using engine = await Engine.connect(address, { log: silentLogger });
  await createTiny(daemon, "bench");
  await startContainer(daemon, "bench");
  await runInside(engine, "bench", "ip link set lo up");
  const socket = (name: string) => ({ kind: "unix", path: join(daemon.folder, name) }) as const;
  await using _host = await serveHost(
    {
      listen: [socket("bench.sock")],
      listeners: [{ address: socket("bench-listener.sock") }],
      guests: [{ name: "vm", address: socket("guest.sock") }],
      state: join(daemon.folder, "bench"),
      logLevel: "silent",
    },
    systemClock,
    silentLogger,
  );
  const times: number[] = [];
  for (let index = 0; index < OPENINGS; index++) {
    const port = PORT + 1 + index;
    await runInside(engine, "bench", `nc -l -p ${port} </dev/null >/dev/null 2>&1 &`);
    const began = performance.now();
    (await whenOpen("127.0.0.1", port)).destroy();
    times.push(performance.now() - began);
    await delay(Math.random() * 300);
  }
  console.log(`forwards: listen to the host's port ${ms(median(times))}, most ${ms(Math.max(...times))}`);
  const { pid } = await engine.instances.state("bench");
  const bridge = await addressOnBridge(daemon, engine);
  const sender = await startSender(pid);
  (await whenOpen("127.0.0.1", PORT)).destroy();
  const [direct, forwarded]: [number[], number[]] = [[], []];
  await using _tunnel = await openTunnel({ host: bridge, port: PORT });
  (await whenOpen("127.0.0.1", TUNNEL_PORT)).destroy();
  const tunnelled: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    direct.push(await rate(bridge));
    forwarded.push(await rate("127.0.0.1"));
    tunnelled.push(await rate("127.0.0.1", TUNNEL_PORT, BYTES / 10));
  }
  sender.kill("SIGKILL");
  const mega = (rates: number[]) => `${Math.round(median(rates) / 1e6)} MB/s`;
  const share = (rates: number[]) => (median(rates) / median(direct)).toFixed(2);
  console.log(
    `forwards: ${mega(forwarded)}, over the bridge ${mega(direct)}: ${share(forwarded)} x (goal 0.5 x)`,
  );
  console.log(`forwards: ${mega(tunnelled)} through a daemon with TLS: ${share(tunnelled)} x (goal 0.5 x)`);
}

/** Forwards the program's port as that of a container on another machine: through its daemon, with TLS. */
async function openTunnel(program: TunnelGuest["program"]): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "bench-tunnel-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const authority = new Authority(join(folder, "trust"), systemClock);
  const own = await authority.issue({ kind: "host" }, {});
  const ca = join(authority.folder, "ca.crt");
  const { cert, key } = await authority.issue({ kind: "guest", name: "remote" }, {});
  const file = join(dirname(process.argv[1] as string), "tunnel-guest.js");
  const guest: TunnelGuest = { cert, key, ca, program };
  const child = spawn(process.execPath, [file, "as-guest", JSON.stringify(guest)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(() => void child.kill("SIGKILL"));
  const [port] = await once(child.stdout, "data");
  const socket = (name: string) => ({ kind: "unix", path: join(folder, name) }) as const;
  stack.use(
    await serveHost(
      {
        listen: [socket("host.sock")],
        listeners: [{ address: socket("listener.sock"), guest: "remote" }],
        guests: [{ name: "remote", address: { kind: "tcp", host: "127.0.0.1", port: Number(port) } }],
        state: join(folder, "state"),
        tls: readTls({ cert: own.cert, key: own.key, ca }),
        logLevel: "silent",
      },
      systemClock,
      silentLogger,
    ),
  );
  const held = stack.move();
  return { [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Gives the container an address on the bridge. */
async function addressOnBridge(daemon: TestDaemon, engine: Engine): Promise<string> {
  const { engine: status } = await daemon.guest.getStatus({});
  const [own = "", prefix] = (status?.subnet ?? "").split("/");
  const address = own.replace(/\d+$/, (last) => `${Number(last) + 1}`);
  await runInside(engine, "bench", `ip link set eth0 up; ip addr add ${address}/${prefix} dev eth0`);
  return address;
}

async function startSender(init: number): Promise<ChildProcess> {
  const words = [`--net=/proc/${init}/ns/net`, process.execPath, "--eval", SENDER];
  const child = spawn("nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

async function whenOpen(host: string, port: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ host, port });
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      await delay(5);
    }
  }
}

/** A program of its own receives, so that this one's event loop is not the limit. */
async function rate(host: string, port = PORT, bytes = BYTES): Promise<number> {
  const program = `let n = 0; const start = performance.now();
    const buffer = Buffer.alloc(256 * 1024);
    const socket = require("node:net").connect({ host: "${host}", port: ${port}, onread: { buffer, callback(count) {
      n += count;
      if (n >= ${bytes}) { console.log(n / ((performance.now() - start) / 1000)); process.exit(); }
      return true;
    } } });`;
  const child = spawn(process.execPath, ["--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = await once(child.stdout, "data");
  return Number(text);
}
