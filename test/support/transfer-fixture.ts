import { mkdtemp, readdir, rm } from "node:fs/promises";
import { type ClientRequest, createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { type Client, createClient } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { Host, BackupTransfer_Phase as Phase } from "../../src/contract/tremplin/v1/host_pb.js";
import { BackupTransfers, backupService } from "../../src/host/console/transfers/backup-transfers.ts";
import { Guests } from "../../src/host/guests.ts";
import { listener } from "../../src/host/listener.ts";
import { NoticeLimits } from "../../src/host/notice-limits.ts";
import { EventStore } from "../../src/host/store/event-store.ts";
import type { Handler } from "../../src/transport/answer-calls.ts";
import { dial } from "../../src/transport/client.ts";
import { serve } from "../../src/transport/server.ts";
import { MemoryGuest } from "./memory-guest.ts";

/** The transfers of a host with a guest in memory, and an HTTP client in place of a browser. */
export interface TransferFixture {
  readonly guest: MemoryGuest;
  readonly host: Client<typeof Host>;
  readonly transfers: BackupTransfers;
  /** Requests a URL of a transfer; undefined where it is not accepted. */
  ask(urlPath: string, method?: string): { request: ClientRequest; response: Promise<IncomingMessage> };
  /** All that comes over a connection on which a URL of a transfer is requested. */
  raw(urlPath: string): Promise<string>;
  /** The names of the files that the guest keeps of transfers. */
  kept(): Promise<string[]>;
}

export async function transferFixture(t: TestContext): Promise<TransferFixture> {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), "transfer-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const socket = (name: string) => ({ kind: "unix", path: join(folder, `${name}.sock`) }) as const;
  const log = silentLogger;
  const clock = systemClock;
  const guest = stack.use(await MemoryGuest.open({ address: socket("vm"), host: socket("listener") }));
  const events = stack.use(await EventStore.open({ folder: join(folder, "state"), clock, log }));
  const guests = stack.use(new Guests([{ name: "vm", address: socket("vm") }], undefined));
  const renames = { onNotice: async () => undefined };
  const limits = new NoticeLimits(clock);
  const deps = { guests, events, limits, renames, isReady: () => undefined, log };
  stack.use(
    await serve({ addresses: [socket("listener")], routes: (router) => listener(router, deps, () => "vm") }),
  );
  const transfers = stack.use(new BackupTransfers({ guests, events, clock, log }));
  stack.use(
    await serve({ addresses: [socket("host")], routes: (router) => backupService(router, transfers) }),
  );
  const web = createServer((asked, answer) => {
    const [one, other] = [asked, answer] as unknown as Parameters<Handler>;
    if (transfers.exchanges.accept(asked.url ?? "", one, other)) return;
    answer.statusCode = 403;
    answer.end();
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  stack.defer(() => {
    web.close();
    web.closeAllConnections();
  });
  const { port } = web.address() as AddressInfo;
  return {
    guest,
    transfers,
    host: createClient(Host, stack.use(dial(socket("host"))).transport),
    ask(path, method = "GET") {
      const asked = request({ host: "127.0.0.1", port, path, method, agent: false });
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      asked.once("response", resolve).on("error", reject);
      promise.catch(() => undefined);
      return { request: asked, response: promise };
    },
    raw(path) {
      const socket = connect(port, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
      return text(socket);
    },
    kept: () => readdir(join(folder, "transfers")).catch(() => []),
  };
}

/** The next state in a phase. */
export async function until<S extends { readonly phase: Phase }>(
  states: AsyncIterator<S>,
  phase: Phase,
): Promise<S> {
  for (;;) {
    const { done, value } = await states.next();
    if (done) throw new Error(`it ended before ${Phase[phase]}`);
    if (value.phase === phase) return value;
  }
}
