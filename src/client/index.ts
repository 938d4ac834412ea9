// The API of the npm package for programs (docs/embedding.md).
export type { CallOptions, Client } from "@connectrpc/connect";
export { Code, ConnectError } from "@connectrpc/connect";
export * from "../contract/tremplin/v1/guest_pb.js";
export * from "../contract/tremplin/v1/host_pb.js";
export * as contract from "../contract/tremplin_pb.js";
export { connectGuest, connectHost } from "./connect.ts";
export type {
  ConnectOptions,
  Ended,
  GuestClients,
  GuestConnection,
  HostConnection,
  RunOptions,
  WatchOptions,
} from "./types.ts";
