import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import {
  type ForwardFixture,
  forwardFixture,
  freePorts,
  open,
  textOf,
} from "../../../test/support/forward-fixture.ts";
import { program } from "../../../test/support/memory-ports.ts";
import { resetSocket } from "../../base/native/reset-socket.ts";

interface Reached extends ForwardFixture {
  /** Where the program can be reached. */
  readonly port: number;
  /** Connects, and gives both ends. */
  pair(): Promise<{ readonly client: Socket; readonly accepted: Socket }>;
}

/** A container with a program that listens. */
async function reached(t: TestContext, isElsewhere: boolean): Promise<Reached> {
  const at = await forwardFixture(t);
  at.vm.ports.isElsewhere = isElsewhere;
  const waiting: ((socket: Socket) => void)[] = [];
  const listening = await program((socket) => waiting.shift()?.(socket));
  t.after(() => listening[Symbol.asyncDispose]());
  const [port = 0] = await freePorts(1);
  at.vm.ports.listen("one", port, listening.port);
  await at.until(([first]) => first?.hostPort === port, `port ${port}`);
  const pair = async () => {
    const accepted = Promise.withResolvers<Socket>();
    waiting.push(accepted.resolve);
    const client = await open(port);
    client.on("error", () => undefined);
    t.after(() => void client.destroy());
    return { client, accepted: await accepted.promise };
  };
  return { ...at, port, pair };
}

const isDone = ([first]: readonly { readonly connections: number }[]) => first?.connections === 0;

const WAYS = [
  ["handed over on one machine", false],
  ["through the daemon", true],
] as const;
const ALL = { skip: !process.env.TREMPLIN_TEST_ALL, timeout: 600_000 };

for (const [how, isElsewhere] of WAYS) {
  test(`${how}: each direction ends by itself`, async (t) => {
    const { pair } = await reached(t, isElsewhere);
    for (const clientIsFirst of [true, false]) {
      const { client, accepted } = await pair();
      const [one, other] = clientIsFirst ? [client, accepted] : [accepted, client];
      one.end("a question");
      assert.equal(await textOf(other), "a question");
      other.write("an ");
      other.end("answer");
      assert.equal(await textOf(one), "an answer");
    }
  });

  test(`${how}: a reset of either side resets the other one`, async (t) => {
    const { pair } = await reached(t, isElsewhere);
    for (const clientIsFirst of [true, false]) {
      const { client, accepted } = await pair();
      const [one, other] = clientIsFirst ? [client, accepted] : [accepted, client];
      one.write("x");
      await once(other, "data");
      resetSocket(one);

      const [error] = await once(other, "error");
      assert.equal(error.code, "ECONNRESET");
    }
  });

  test(`${how}: a reader that stops stops the sender in either direction`, async (t) => {
    const { pair } = await reached(t, isElsewhere);
    for (const clientSends of [true, false]) {
      const { client, accepted } = await pair();
      const [sender, reader] = clientSends ? [client, accepted] : [accepted, client];
      reader.pause();
      const before = process.memoryUsage().rss;
      const sent = await fill(sender);
      assert.ok(process.memoryUsage().rss - before < 64 * MIB, "what was sent is kept in memory");
      sender.end();
      let received = 0;
      for await (const chunk of reader.iterator({ destroyOnReturn: false })) received += chunk.length;
      assert.equal(received, sent);
    }
  });

  test(`${how}: 300 connections at once carry their own bytes`, async (t) => {
    const { pair, until } = await reached(t, isElsewhere);
    const pairs = await Promise.all(Array.from({ length: 300 }, pair));
    for (const [index, { client, accepted }] of pairs.entries()) {
      client.end(`from the client ${index}`);
      accepted.end(`from the program ${index}`);
    }
    const texts = pairs.map(async ({ client, accepted }) => [await textOf(client), await textOf(accepted)]);
    const byClient = (await Promise.all(texts)).map(([one, other]) => [
      `${one}`.split(" ").pop(),
      `${other}`.split(" ").pop(),
    ]);
    // Connections that begin together may reach the program in another order.
    const expected = pairs.map((_, index) => `${index}`).sort();
    assert.deepEqual(byClient.map(([one]) => one).sort(), expected);
    assert.deepEqual(byClient.map(([, other]) => other).sort(), expected);
    await until(isDone, "no connection");
  });

  test(`${how}: a container that stops ends its connections`, async (t) => {
    const { pair, vm, port } = await reached(t, isElsewhere);
    const { client, accepted } = await pair();
    accepted.end("last words");
    vm.ports.stop("one");
    assert.equal(await textOf(client), "last words");
    await breaks(client);
    await assert.rejects(open(port), /ECONNREFUSED/);
  });

  test(`${how}: a listener that ends leaves open connections alone`, async (t) => {
    const { pair, vm, port, shows } = await reached(t, isElsewhere);
    const { client, accepted } = await pair();
    vm.ports.close("one", port);
    await shows();
    client.end("still there");
    assert.equal(await textOf(accepted), "still there");
    accepted.end("so am I");
    assert.equal(await textOf(client), "so am I");
  });
}

/** Sends until the other side does not take it. */
async function breaks(socket: Socket): Promise<void> {
  const timer = setInterval(() => socket.write("x"), 50);
  await once(socket, "close").catch(() => undefined);
  clearInterval(timer);
}

const MIB = 1024 * 1024;

/** Sends until nothing is taken for a while. Returns how many bytes were sent. */
async function fill(sender: Socket): Promise<number> {
  const block = Buffer.alloc(MIB / 4);
  let sent = 0;
  for (;;) {
    sent += block.length;
    assert.ok(sent < 64 * MIB, "the sender is never stopped");
    if (sender.write(block)) continue;
    const signal = AbortSignal.timeout(500);
    const goesOn = await once(sender, "drain", { signal }).catch(() => undefined);
    if (!goesOn) {
      return sent;
    }
  }
}

for (const [how, isElsewhere] of WAYS) {
  test(
    `${how}: 1,000 connections at once carry ${isElsewhere ? 1 : 10} GB, with flat memory`,
    ALL,
    async (t) => {
      const { pair, until } = await reached(t, isElsewhere);
      const pairs: Awaited<ReturnType<typeof pair>>[] = [];
      for (let each = 0; each < 10; each++)
        pairs.push(...(await Promise.all(Array.from({ length: 100 }, pair))));
      const before = process.memoryUsage().rss;
      let most = 0;
      // Here both ends share one thread with the host and the daemon, which all bytes pass through then.
      const block = Buffer.alloc((isElsewhere ? 1 : 10) * 1000 * 1000);
      const received = pairs.map(async ({ client, accepted }) => {
        accepted.end(block);
        client.end();
        let count = 0;
        for await (const chunk of client.iterator({ destroyOnReturn: false })) count += chunk.length;
        most = Math.max(most, process.memoryUsage().rss);
        return count;
      });
      assert.ok((await Promise.all(received)).every((count) => count === block.length));
      // The sockets of both programs are here too, each with some buffers.
      assert.ok(most - before < 1000 * MIB, `${Math.round((most - before) / MIB)} MiB more`);
      for (const { accepted } of pairs) accepted.destroy();
      await until(isDone, "no connection");
    },
  );
}

test("a program that has gone, and a guest that dies, reset the client", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  const [port = 0] = await freePorts(1);
  vm.ports.listen("one", port, 1);
  await shows(`vm one:${port} OPEN ${port}`);
  const [error] = await once(await open(port), "error");
  assert.equal(error.code, "ECONNRESET");
  const elsewhere = await reached(t, true);
  const { client } = await elsewhere.pair();
  await elsewhere.vm.close();
  assert.equal((await once(client, "error"))[0].code, "ECONNRESET");
});

test("a host that ends resets its connections and leaves no port open", async (t) => {
  for (const isElsewhere of [true, false]) {
    const { port, pair, running } = await reached(t, isElsewhere);
    const { client, accepted } = await pair();
    client.write("x");
    await once(accepted, "data");
    const resets = [once(client, "error"), once(accepted, "error")];
    await running[Symbol.asyncDispose]();
    for (const [error] of await Promise.all(resets)) assert.equal(error.code, "ECONNRESET");
    await assert.rejects(open(port), /ECONNREFUSED/);
  }
});
