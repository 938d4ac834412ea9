import { checkMetricsAddress } from "../../telemetry/metrics/metrics-address.ts";
import { type Address, parseAddress } from "../../transport/address.ts";

/** For `option` of a command that serves metrics. */
export const metricsFlag = [
  "--metrics <addr>",
  "an address within this computer for metrics in Prometheus' text format (default: none)",
] as const;

/** Reads the flag. Throws `invalid` for an address that other machines could reach. */
export function metricsOf({ metrics }: { readonly metrics?: string }): Address | undefined {
  if (metrics === undefined) return undefined;
  const address = parseAddress(metrics);
  checkMetricsAddress(address);
  return address;
}
