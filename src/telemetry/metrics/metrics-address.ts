import { TremplinError } from "../../base/tremplin-error.ts";
import { type Address, formatAddress, isLocal } from "../../transport/address.ts";

/** Where metrics may be read: nobody proves who they are there, so it must be within this machine. Throws `invalid`. */
export function checkMetricsAddress(address: Address): void {
  if (isLocal(address)) return;
  throw new TremplinError(
    "invalid",
    `--metrics ${formatAddress(address)}: metrics are served only within this machine; use unix:/path or tcp:127.0.0.1:PORT`,
  );
}
