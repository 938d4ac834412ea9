import { readFileSync } from "node:fs";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type EngineKind, engineKinds, findFlavor } from "../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";

/** The engine that the daemon uses: a managed one, which it launches, or an external one, to which it attaches. */
export type EngineChoice =
  | { readonly how: "launch"; readonly kind: EngineKind | undefined }
  | { readonly how: "attach"; readonly address: EngineAddress };

/** Parses the kind of an engine, `unix:PATH` or `https://HOST:PORT`; undefined means the one that is installed. Throws `invalid`. */
export function chooseEngine(
  text: string | undefined,
  tls: { cert?: string | undefined; key?: string | undefined; ca?: string | undefined } = {},
): EngineChoice {
  const kind = findFlavor(text)?.kind;
  if (text === undefined || kind) return { how: "launch", kind };
  if (text.startsWith("unix:/")) return { how: "attach", address: { kind: "unix", path: text.slice(5) } };
  const url = text.startsWith("https://") && URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname) {
    throw new TremplinError(
      "invalid",
      `"${text}" is not an engine: use ${engineKinds()}, unix:PATH or https://HOST:PORT`,
    );
  }
  if (!tls.cert || !tls.key) {
    throw new TremplinError(
      "invalid",
      `the engine ${text} needs --engine-cert and --engine-key (and --engine-ca)`,
    );
  }
  const ca = tls.ca ? { ca: readFileSync(tls.ca, "utf8") } : {};
  const [cert, key] = [readFileSync(tls.cert, "utf8"), readFileSync(tls.key, "utf8")];
  return {
    how: "attach",
    address: { kind: "https", host: url.hostname, port: Number(url.port || 8443), cert, key, ...ca },
  };
}
