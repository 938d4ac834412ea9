import type { ServerResponse } from "node:http";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";

/** The answer to a call that is not served. */
export interface Refusal {
  readonly code: Code;
  readonly sentence: string;
  /** For gRPC-Web and Connect. Default: the one that Connect has for the code. */
  readonly httpStatus?: number;
}

const httpStatuses: Readonly<Partial<Record<Code, number>>> = {
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.Unimplemented]: 404,
  [Code.Unavailable]: 503,
};

/** Answers in the protocol of the request. */
export function answerRefusal(
  contentType: string | undefined,
  response: Pick<ServerResponse, "statusCode" | "setHeader" | "end">,
  { code, sentence, httpStatus }: Refusal,
): void {
  if (isGrpc(contentType)) {
    // gRPC reads a status among the headers only if nothing follows them; writeHead would send them too early.
    response.statusCode = 200;
    response.setHeader("content-type", "application/grpc");
    response.setHeader("grpc-status", String(code));
    response.setHeader("grpc-message", encodeURIComponent(sentence).replaceAll("%20", " "));
    return void response.end();
  }
  response.statusCode = httpStatus ?? httpStatuses[code] ?? 400;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ code: codeToString(code), message: sentence }));
}

/** For clients of gRPC-Web and Connect an HTTP status means the same. */
function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?:[+;\s]|$)/i.test(contentType ?? "");
}
