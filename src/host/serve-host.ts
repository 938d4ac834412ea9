import type { ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import type { Logger } from "../base/logger.ts";
import { file_tremplin_v1_guest, Guest } from "../contract/tremplin/v1/guest_pb.js";
import { file_tremplin_v1_host, Host } from "../contract/tremplin/v1/host_pb.js";
import { file_tremplin, Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import { health } from "../transport/health.ts";
import { reflection } from "../transport/reflection.ts";
import { type RpcServer, serve } from "../transport/server.ts";
import { vsockGuard } from "../transport/vsock/vsock-guard.ts";
import { Guests } from "./guests.ts";
import { hostService } from "./host-service.ts";
import { listener } from "./listener.ts";
import { NoticeLimits } from "./notice-limits.ts";
import type { HostOptions } from "./options.ts";
import { proxyService } from "./proxy.ts";
import { EventStore } from "./store/event-store.ts";

/** Serves the host until it is disposed of. */
export async function serveHost(options: HostOptions, clock: Clock, log: Logger): Promise<RpcServer> {
  await using parts = new AsyncDisposableStack();
  const events = parts.use(
    await EventStore.open({ folder: options.state, clock, log, ...options.retention }),
  );
  const guests = parts.use(new Guests(options.guests, options.tls));
  const limits = new NoticeLimits(clock);
  const { tls } = options;

  const forGuests = (router: ConnectRouter): void => {
    listener(router, guests, events, limits, log);
    health(router, [TremplinListener.typeName]);
  };
  const forAll = (router: ConnectRouter): void => {
    listener(router, guests, events, limits, log);
    hostService(router, guests, events, clock);
    proxyService(router, Tremplin, guests);
    proxyService(router, Guest, guests);
    health(
      router,
      [TremplinListener, Host, Tremplin, Guest].map((service) => service.typeName),
    );
    reflection(router, [file_tremplin, file_tremplin_v1_host, file_tremplin_v1_guest]);
  };
  const isVsock = ({ kind }: { kind: string }) => kind === "vsock";
  const addresses = options.listen.filter((address) => !isVsock(address));
  const forPrograms = parts.use(await serve({ addresses, routes: forAll, tls, log }));
  const vsock = options.listen.filter(isVsock);
  const acceptsVsock = acceptsGuests(options, log);
  const fromGuests = parts.use(await serve({ addresses: vsock, routes: forGuests, tls, acceptsVsock, log }));

  const running = parts.move();
  return {
    addresses: [...forPrograms.addresses, ...fromGuests.addresses],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Accepts only the configured guests where all of them have a context id. */
function acceptsGuests({ guests }: HostOptions, log: Logger): (cid: number) => boolean {
  const cids = guests.map(({ address }) => (address.kind === "vsock" ? address.cid : "any"));
  const known = cids.filter((cid) => typeof cid === "number");
  return known.length < cids.length ? () => true : vsockGuard(known, log);
}
