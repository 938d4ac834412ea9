import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { WebSocket } from "ws";
import { type ConsoleFixture, consoleFixture } from "../../../../test/support/console-fixture.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { SIGN_OF_LIFE_MS, WINDOW_BYTES } from "../../../base/terminal-link.ts";
import {
  ShellInputSchema,
  type ShellOutput,
  ShellOutputSchema,
} from "../../../contract/tremplin/v1/guest_pb.js";
import type { OpenShell } from "./open-shell.ts";

type Session = Awaited<ReturnType<ConsoleFixture["signIn"]>>;

const outputOf = (output: NonNullable<MessageInitShape<typeof ShellOutputSchema>["output"]>): ShellOutput =>
  create(ShellOutputSchema, { output });

/** Says what it reads, and ends when it reads "exit". */
const echo: OpenShell = async function* (guest, inputs) {
  if (guest !== "vm") throw new ConnectError("there is no guest of that name", Code.NotFound);
  for await (const { input } of inputs) {
    if (input?.case !== "data") continue;
    yield outputOf({ case: "data", value: input.value as Uint8Array<ArrayBuffer> });
    if (Buffer.from(input.value as Uint8Array).toString() === "exit")
      yield outputOf({ case: "exitCode", value: 3 });
  }
};

async function ticketFor(at: ConsoleFixture, session: Session): Promise<string> {
  const origin = new URL(at.console.url as string).origin;
  const { body } = await at.ask("/tickets", { method: "POST", headers: { ...session, origin } });
  return (JSON.parse(body.toString()) as { ticket: string }).ticket;
}

function dialled(at: ConsoleFixture, path: string, headers: Record<string, string>, options = {}): WebSocket {
  const url = `${at.console.url}`.replace("http:", "ws:").replace(/\/$/, path);
  return new WebSocket(url, { headers, ...options });
}

/** A terminal of a browser that has just signed in. */
async function openTerminal(t: TestContext, at: ConsoleFixture, guest = "vm", options = {}) {
  const session = await at.signIn();
  const ticket = await ticketFor(at, session);
  const origin = new URL(at.console.url as string).origin;
  const socket = dialled(
    at,
    `/terminal?guest=${guest}&ticket=${ticket}`,
    { cookie: session.cookie, origin },
    options,
  );
  t.after(() => socket.terminate());
  const said: unknown[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    said.push(isBinary ? fromBinary(ShellOutputSchema, data).output : JSON.parse(data.toString()));
  });
  await once(socket, "open");
  const type = (text: string): void =>
    socket.send(
      toBinary(
        ShellInputSchema,
        create(ShellInputSchema, { input: { case: "data", value: Buffer.from(text) } }),
      ),
    );
  return { socket, said, type, session, origin };
}

/** The code with which the host closes it. */
async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, "close")) as [number];
  return code;
}

/** The status of a request for a terminal that is refused. */
async function refusal(at: ConsoleFixture, path: string, headers: Record<string, string>): Promise<number> {
  const socket = dialled(at, path, headers).on("error", () => undefined);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

test("a ticket opens one terminal, for the page of the browser that asked for it", async (t) => {
  const at = await consoleFixture(t, { openShell: echo });
  const [session, other] = [await at.signIn(), await at.signIn()];
  const origin = new URL(at.console.url as string).origin;
  const path = async () => `/terminal?guest=vm&ticket=${await ticketFor(at, session)}`;
  const { cookie } = session;
  const used = await path();
  const socket = dialled(at, used, { cookie, origin });
  await once(socket, "open");
  socket.terminate();
  assert.equal(await refusal(at, used, { cookie, origin }), 401);
  assert.equal(await refusal(at, "/terminal?guest=vm", { cookie, origin }), 401);
  assert.equal(await refusal(at, "/terminal?guest=vm&ticket=x", { ...session, origin }), 401);
  assert.equal(await refusal(at, await path(), { origin }), 401);
  assert.equal(await refusal(at, await path(), { cookie: other.cookie, origin }), 401);
  assert.equal(await refusal(at, await path(), { cookie }), 403);
  assert.equal(await refusal(at, await path(), { cookie, origin: "http://127.0.0.1:1" }), 403);
  assert.equal(await refusal(at, await path(), { cookie, origin, host: "evil.example" }), 421);
  assert.equal(await refusal(at, "/elsewhere", { cookie, origin }), 404);
});

test("no request for another protocol ends the host", async (t) => {
  const at = await consoleFixture(t, { openShell: echo });
  const { hostname, port } = new URL(at.console.url as string);
  for (const path of ["//[", "/terminal?%", "*", "/terminal?ticket=%ff&guest=%00"]) {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.end(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
    );
    await once(socket.resume(), "close");
  }
  assert.equal((await at.ask("/")).status, 401);
});

test("what is typed arrives in order, and the exit code is the last that is said", async (t) => {
  const at = await consoleFixture(t, { openShell: echo });
  const { socket, said, type } = await openTerminal(t, at);
  const typed = Array.from({ length: 500 }, (_, count) => `${count};`);
  for (const each of typed) type(each);
  type("exit");
  assert.equal(await closeCode(socket), 1005);
  const outputs = said.filter((each) => !("taken" in (each as object))) as ShellOutput["output"][];
  const text = outputs.map(({ case: kind, value }) => (kind === "data" ? Buffer.from(value).toString() : ""));
  assert.equal(text.join(""), `${typed.join("")}exit`);
  assert.deepEqual(outputs.at(-1), { case: "exitCode", value: 3 });
});

test("a failure is a sentence, and says whether the guest was away", async (t) => {
  const failures: [error: Error, isAway: boolean][] = [
    [new ConnectError("penguin is not running; start it first", Code.FailedPrecondition), false],
    [new ConnectError("cannot reach guest vm", Code.Unavailable), true],
  ];
  for (const [error, isAway] of failures) {
    const at = await consoleFixture(t, {
      openShell: () => {
        throw error;
      },
    });
    const { socket, said } = await openTerminal(t, at);
    await closeCode(socket);
    assert.deepEqual(said.at(-1), { failure: ConnectError.from(error).rawMessage, isAway });
  }
});

test("a flood waits for a page that does not take it, and so does what nobody reads", async (t) => {
  const piece = outputOf({ case: "data", value: new Uint8Array(10_000) });
  let written = 0;
  const at = await consoleFixture(t, {
    openShell: async function* () {
      for (;;) {
        written += 10_000;
        yield piece;
      }
    },
  });
  const { socket, said, type } = await openTerminal(t, at);
  const arrived = () => said.filter((each) => "case" in (each as object)).length * 10_000;
  await eventually("it is full", async () => arrived() >= WINDOW_BYTES || undefined);
  const before = written;
  assert.ok(before <= WINDOW_BYTES + 3 * 10_000);
  socket.send(JSON.stringify({ taken: 100_000 }));
  await eventually("it goes on", async () => written >= before + 90_000 || undefined);
  assert.ok(written <= before + 120_000);
  const closed = closeCode(socket);
  for (let sent = 0; sent < 2 * WINDOW_BYTES; sent += 10_000) type("x".repeat(10_000));
  assert.equal(await closed, 1008);
});

test("a page that says what no page says is hung up on", async (t) => {
  const at = await consoleFixture(t, { openShell: echo });
  for (const message of [
    "",
    "1",
    "null",
    "{}",
    '{"taken":-1}',
    '{"taken":1}',
    '{"taken":1e99}',
    Buffer.from([255]),
  ]) {
    const { socket } = await openTerminal(t, at);
    socket.send(message);
    assert.equal(await closeCode(socket), 1008, `${message}`);
  }
  const { socket } = await openTerminal(t, at);
  socket.send(Buffer.alloc(1024 * 1024));
  assert.equal(await closeCode(socket), 1009);
});

test("the program ends with the connection, with the session, and when the browser is silent", async (t) => {
  let running = 0;
  const ended = { openShell: silent, count: () => running };
  async function* silent(_guest: string, _inputs: unknown, signal: AbortSignal): AsyncGenerator<never> {
    running++;
    if (!signal.aborted) await once(signal, "abort");
    running--;
  }
  const clock = new ManualClock();
  const at = await consoleFixture(t, { openShell: silent, clock });
  const ends: ((terminal: Awaited<ReturnType<typeof openTerminal>>) => unknown)[] = [
    ({ socket }) => socket.close(),
    ({ socket }) => socket.terminate(),
    ({ session, origin }) => at.ask("/sign-out", { method: "POST", headers: { ...session, origin } }),
    async ({ said }) => {
      clock.advance(SIGN_OF_LIFE_MS);
      await eventually("a sign of life", async () => said.length > 0 || undefined);
      assert.deepEqual(said, [{ taken: 0 }]);
      await new Promise(setImmediate);
      clock.advance(SIGN_OF_LIFE_MS);
    },
  ];
  for (const end of ends) {
    const terminal = await openTerminal(t, at, "vm", { autoPong: false });
    await eventually("it runs", async () => ended.count() === 1 || undefined);
    const closed = once(terminal.socket, "close");
    await end(terminal);
    await closed;
    await eventually("it has ended", async () => ended.count() === 0 || undefined);
  }
});

test("there is an end to how many are open", async (t) => {
  const at = await consoleFixture(t, { openShell: echo });
  const session = await at.signIn();
  const origin = new URL(at.console.url as string).origin;
  const { cookie } = session;
  for (let count = 0; count < 64; count++) {
    const socket = dialled(at, `/terminal?guest=vm&ticket=${await ticketFor(at, session)}`, {
      cookie,
      origin,
    });
    t.after(() => socket.terminate());
    await once(socket, "open");
  }
  const { socket, said } = await openTerminal(t, at);
  await closeCode(socket);
  assert.match(JSON.stringify(said), /64 terminals are open already; close one and try again/);
});
