import type { Logger } from "../../base/logger.ts";

/** What the program calls itself in traces. */
export type Service = "tremplin" | "tremplin-host" | "tremplin-daemon";

/**
 * Sends traces to the collector that the environment names (docs/monitoring.md#traces), until it is disposed. Where it
 * names none, nothing is loaded.
 */
export async function openTraces(
  service: Service,
  version: string,
  log?: Logger,
): Promise<AsyncDisposable | undefined> {
  if (!isWanted(process.env)) return undefined;
  const { sendTraces } = await import("./send-traces.ts");
  return sendTraces({ service, version, log });
}

function isWanted(env: NodeJS.ProcessEnv): boolean {
  const hasCollector = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none";
  return Boolean(hasCollector) && !isOff;
}
