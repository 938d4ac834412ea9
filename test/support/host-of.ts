import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";
import type { HostOptions } from "../../src/host/options.ts";
import { serveHost } from "../../src/host/serve-host.ts";
import type { Address } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import type { TestDaemon } from "./daemon.ts";
import type { RecordedNotice } from "./listener.ts";

/** The project's own host side for a daemon whose notices a recording listener hears first. */
export interface HostOf extends AsyncDisposable {
  readonly address: Address;
  /** Hands a notice on as its daemon sent it. */
  forward(notice: RecordedNotice): Promise<void>;
}

export async function hostOf(
  daemon: TestDaemon,
  { console, log = silentLogger }: Pick<HostOptions, "console"> & { readonly log?: Logger } = {},
): Promise<HostOf> {
  await using parts = new AsyncDisposableStack();
  const address = { kind: "unix", path: join(daemon.folder, "events.sock") } as const;
  const forGuests = { kind: "unix", path: join(daemon.folder, "listener.sock") } as const;
  const guests = [
    { name: "vm", address: { kind: "unix", path: join(daemon.folder, "guest.sock") } as const },
  ];
  const state = join(daemon.folder, "events");
  const options = {
    listen: [address],
    listeners: [{ address: forGuests }],
    guests,
    state,
    console,
    logLevel: "silent",
  };
  parts.use(await serveHost(options, systemClock, log));
  const listener = createClient(TremplinListener, parts.use(dial(forGuests)).transport);
  const running = parts.move();
  return {
    address,
    async forward({ message, headers }) {
      const method = TremplinListener.methods.find(({ input }) => input.typeName === message.$typeName);
      const call = listener[method?.localName as "containerShutdown"];
      const metadata = ["tremplin-notice", "tremplin-daemon", "tremplin-operation"].flatMap((name) => {
        const value = headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      await call(message as never, { headers: Object.fromEntries(metadata) });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
