import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { EventStore } from "../../store/event-store.ts";
import { runGuestOperation } from "./guest-operation.ts";

test("a cancelled operation whose guest says nothing is not waited for without end", async () => {
  const cancelled = new AbortController();
  const events: Pick<EventStore, "newest" | "read"> = {
    newest: 0n,
    async *read({ signal }) {
      if (signal && !signal.aborted) await once(signal, "abort");
    },
  };
  let wasAsked = false;
  const running = runGuestOperation(
    {
      guest: "vm",
      begin: async ({ onHeader }) => onHeader?.(new Headers({ "tremplin-operation": "0123" })),
      cancel: async () => {
        wasAsked = true;
      },
      onBegun: () => cancelled.abort(new Error("the person has cancelled it")),
    },
    {
      events,
      signal: cancelled.signal,
      shutdownSignal: new AbortController().signal,
      cancelTimeoutMs: 20,
    },
  );
  await assert.rejects(running, /the person has cancelled it/);
  assert.ok(wasAsked);
});
