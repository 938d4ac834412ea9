import type { ServerResponse } from "node:http";
import type { Handler } from "../../transport/answer-calls.ts";
import { type ConsoleFile, type ConsoleFiles, encodingFor } from "./console-files.ts";
import { type SentencePage, sentencePage } from "./sentence-page.ts";

export type Request = Parameters<Handler>[0];
export type Response = Parameters<Handler>[1];

/** Sends an answer. */
export type Send = (request: Request, response: Response, files: ConsoleFiles) => void;

export function sendFile({ type, bodies }: ConsoleFile, caching: string): Send {
  return ({ headers, method }, response) => {
    const encoding = encodingFor(headers["accept-encoding"] as string | undefined);
    response.setHeader("content-type", type);
    response.setHeader("cache-control", caching);
    response.setHeader("vary", "accept-encoding");
    if (encoding !== "identity") response.setHeader("content-encoding", encoding);
    response.setHeader("content-length", bodies[encoding].length);
    send(response, 200, method === "HEAD" ? "" : bodies[encoding]);
  };
}

export function sendSentence(page: SentencePage, status: number): Send {
  return ({ method }, response, files) => {
    const named = (name: string, suffix: string): string =>
      [...files.keys()].find((path) => path.startsWith(`/assets/${name}-`) && path.endsWith(suffix)) ?? "";
    const paths = {
      style: named("style", ".css"),
      icon: named("icon", ".svg"),
      signIn: named("sign-in", ".js"),
    };
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("cache-control", "no-store");
    send(response, status, method === "HEAD" ? "" : sentencePage(page, paths));
  };
}

/** For the program of a page. */
export function sendJson(document: object, status: number): Send {
  return (_request, response) => {
    response.setHeader("content-type", "application/json");
    response.setHeader("cache-control", "no-store");
    send(response, status, JSON.stringify(document));
  };
}

export function send(response: ServerResponse, status: number, body: string | Buffer): void {
  response.statusCode = status;
  response.end(body);
}
