import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Service } from "./open-traces.ts";
import { traceWorks } from "./trace-works.ts";

/** How long the end of the program waits for a collector. */
const LAST_SPANS_MS = 1_000;

interface Options {
  readonly service: Service;
  readonly version: string;
  /** Gets a line when the collector does not take spans, and when it does again. */
  readonly log: Logger | undefined;
}

/** Makes spans of what is followed, and sends them. Throws `invalid` for a collector that cannot be one. */
export function sendTraces({ service, version, log }: Options): AsyncDisposable {
  checkCollector(process.env);
  const own = resourceFromAttributes({
    "service.name": service,
    "service.version": version,
    "process.pid": process.pid,
  });
  // What the environment says of the service comes later, and wins.
  const resource = own.merge(detectResources({ detectors: [envDetector] }));
  const exporter = reporting(new OTLPTraceExporter(), log);
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracing = traceWorks(provider.getTracer("tremplin", version));
  return {
    async [Symbol.asyncDispose]() {
      tracing[Symbol.dispose]();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, LAST_SPANS_MS);
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      clearTimeout(timer);
    },
  };
}

/** The library would take anything, and send nothing. */
function checkCollector(env: NodeJS.ProcessEnv): void {
  for (const name of ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]) {
    const url = env[name];
    if (!url || /^https?:$/.test(URL.parse(url)?.protocol ?? "")) continue;
    throw new TremplinError(
      "invalid",
      `${name} is not the URL of a collector: write http://HOST:4318, or unset it`,
    );
  }
}

function reporting(exporter: SpanExporter, log: Logger | undefined): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const fails = result.code !== 0;
        if (fails && !isFailing) log?.warn({ error: result.error }, "the collector does not take traces");
        if (!fails && isFailing) log?.info("the collector takes traces again");
        isFailing = fails;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => await exporter.forceFlush?.(),
  };
}
