import { AsyncLocalStorage } from "node:async_hooks";
import type { TracingChannel } from "node:diagnostics_channel";
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { observed, type RpcWork } from "../../base/observed.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { engineRoute } from "../metrics/engine-route.ts";

/** The span that something is done in. */
interface Within {
  readonly context: Context;
  hasEnded: boolean;
}

/** Calls that say nothing of what anybody does. */
const QUIET = /^grpc\./;

const active = new AsyncLocalStorage<Within | undefined>();
const propagator = new W3CTraceContextPropagator();
const headers: TextMapGetter<Headers> = {
  get: (carrier, key) => carrier.get(key) ?? undefined,
  keys: (carrier) => [...carrier.keys()],
};

/** Makes a span of each piece of work that is part of somebody's call, command or operation, until it is disposed. */
export function traceWorks(tracer: Tracer): Disposable {
  const start = (name: string, context: Context, kind = SpanKind.INTERNAL): Span =>
    tracer.startSpan(name, { kind }, context);
  const parts = new DisposableStack();
  parts.use(
    spansOf(observed.command, {
      begin: ({ name }) => start(`tremplin ${name}`, ROOT_CONTEXT),
    }),
  );
  parts.use(
    spansOf(observed.rpc, {
      begin: (call, within) => beginCall(call, within, start),
      end: (span, { operation }) => {
        if (operation) span.setAttribute("tremplin.operation", operation);
      },
    }),
  );
  parts.use(
    spansOf(observed.operation, {
      begin: ({ id, kind, container }, within) =>
        start(`operation ${kind}`, within?.context ?? ROOT_CONTEXT).setAttributes({
          "tremplin.operation": id,
          "tremplin.container": container,
        }),
      end(span, { outcome }) {
        if (outcome) span.setAttribute("tremplin.result", outcome);
        if (outcome === "failed") span.setStatus({ code: SpanStatusCode.ERROR });
      },
    }),
  );
  parts.use(
    spansOf(observed.engine, {
      // What goes on after its cause has ended, such as a look whether the engine answers, is no part of it.
      begin: ({ method, path }, within) =>
        within && !within.hasEnded
          ? start(`${method} ${engineRoute(path)}`, within.context, SpanKind.CLIENT).setAttributes({
              "http.request.method": method,
              "url.path": path,
            })
          : undefined,
      end(span, { status }) {
        if (status !== undefined) span.setAttribute("http.response.status_code", status);
      },
    }),
  );
  parts.use(outsideOfTraces(observed.round));
  return parts;
}

function beginCall(
  { side, service, method, header, streams }: RpcWork,
  within: Within | undefined,
  start: (name: string, context: Context, kind: SpanKind) => Span,
): Span | undefined {
  if (QUIET.test(service)) return undefined;
  const about = {
    "rpc.system": "grpc",
    "rpc.service": service,
    "rpc.method": method,
    "rpc.streams": streams,
  };
  if (side === "server") {
    const context = propagator.extract(ROOT_CONTEXT, header, headers);
    return start(`${service}/${method}`, context, SpanKind.SERVER).setAttributes(about);
  }
  // What nobody has asked for is no trace of its own.
  if (!within) return undefined;
  const span = start(`${service}/${method}`, within.context, SpanKind.CLIENT).setAttributes(about);
  propagator.inject(trace.setSpan(within.context, span), header, {
    set: (carrier, key, value) => carrier.set(key, value),
  });
  return span;
}

interface Spans<T> {
  /** The span of a piece of work; undefined: it gets none, and what it does is part of what it is done in. */
  readonly begin: (about: T, within: Within | undefined) => Span | undefined;
  readonly end?: (span: Span, about: T) => void;
}

function spansOf<T extends object>(works: TracingChannel<unknown, T>, { begin, end }: Spans<T>): Disposable {
  const begun = new WeakMap<object, { readonly span: Span; readonly within: Within }>();
  works.start.bindStore(active as AsyncLocalStorage<unknown>, (about) => {
    const outer = active.getStore();
    const span = begin(about, outer);
    if (!span) return outer;
    const within = { context: trace.setSpan(outer?.context ?? ROOT_CONTEXT, span), hasEnded: false };
    begun.set(about, { span, within });
    return within;
  });
  const onEnd = (seen: unknown): void => {
    const about = seen as T & { readonly error?: unknown };
    const { span, within } = begun.get(about) ?? {};
    if (!span || !within) return;
    end?.(span, about);
    if (about.error !== undefined)
      span.setStatus({ code: SpanStatusCode.ERROR, message: errorMessage(about.error) });
    within.hasEnded = true;
    span.end();
  };
  works.asyncEnd.subscribe(onEnd);
  return {
    [Symbol.dispose]() {
      works.start.unbindStore(active as AsyncLocalStorage<unknown>);
      works.asyncEnd.unsubscribe(onEnd);
    },
  };
}

/** Work that begins by itself, whoever began what does it. */
function outsideOfTraces<T extends object>(works: TracingChannel<unknown, T>): Disposable {
  works.start.bindStore(active as AsyncLocalStorage<unknown>, () => undefined);
  return { [Symbol.dispose]: () => void works.start.unbindStore(active as AsyncLocalStorage<unknown>) };
}
