import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { CommandLineFixture } from "../../test/support/command-line.ts";
import { formatAddress } from "../transport/address.ts";
import { connectGuest, connectHost } from "./connect.ts";
import type { ConnectOptions } from "./types.ts";

function at(place: CommandLineFixture): ConnectOptions {
  return { address: formatAddress(place.hostAddress) };
}

describe("the API for programs", () => {
  test("calls the host, and the guest by its name or as the only one", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    await using host = connectHost(at(place));
    assert.deepEqual(
      (await host.host.listGuests({})).guests.map(({ name }) => name),
      ["vm"],
    );
    for (const { guest } of [host.guest(), host.guest("vm")])
      assert.deepEqual(
        (await guest.listContainers({})).containers.map(({ name }) => name),
        ["penguin"],
      );
    await assert.rejects(host.guest("other").guest.getStatus({}), { code: Code.NotFound });
  });

  test("runs an operation to its end, good or bad, and says where nothing began", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    await using host = connectHost(at(place));
    const { tremplin } = host.guest();
    const start = () =>
      host.run((options) => tremplin.startContainer({ containerName: "penguin" }, options), {
        onEvent: ({ notice }) => void seen.push(notice.case),
      });
    const seen: unknown[] = [];
    const started = await start();
    assert.equal(started.succeeded, true);
    assert.match(started.operation ?? "", /^[0-9a-f-]{16,}$/);
    assert.deepEqual([...new Set(seen)], ["start"]);
    const again = await start();
    assert.deepEqual([again.operation, again.succeeded, again.text], [undefined, undefined, ""]);
    place.guest.fault = "the disk is full";
    const stopped = await host.run((options) =>
      tremplin.stopContainer({ containerName: "penguin" }, options),
    );
    assert.equal(stopped.succeeded, false);
    assert.match(stopped.text, /the disk is full/);
    // What a call throws is thrown.
    await assert.rejects(
      host.run(() => Promise.reject(new Error("mine"))),
      /mine/,
    );
  });

  test("watches events, also those of a time before it, and across a restart of the host, each once", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    await using host = connectHost(at(place));
    const { tremplin } = host.guest();
    const events = host.watch({
      after: 0n,
      containerName: "penguin",
      onOutage: (reason) => outages.push(reason),
    });
    const outages: (string | undefined)[] = [];
    await host.run((options) => tremplin.startContainer({ containerName: "penguin" }, options));
    const numbers: bigint[] = [];
    const next = async () => {
      const { value } = await events.next();
      if (value) numbers.push(value.sequence);
      return value?.notice.case;
    };
    for (let kind = await next(); kind !== "start"; kind = await next());
    const waiting = next();
    await place.closeHost();
    await place.openHost();
    await host.run((options) => tremplin.stopContainer({ containerName: "penguin" }, options));
    for (let kind = await waiting; kind !== "stop"; kind = await next());
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => Number(a - b)),
    );
    assert.ok(outages[0] && outages.at(-1) === undefined);
    await events.return();
  });

  test("ends a watch with the reason of its signal, and one of a host that is not there at once", async (t) => {
    const place = await CommandLineFixture.open(t);
    await using host = connectHost(at(place));
    const stop = new AbortController();
    const next = host.watch({ signal: stop.signal }).next();
    stop.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    await using nowhere = connectHost({ address: `unix:${place.folder}/nobody.sock` });
    await assert.rejects(nowhere.watch().next());
  });

  test("says that a cursor is of another host", async (t) => {
    const place = await CommandLineFixture.open(t);
    await using host = connectHost(at(place));
    await assert.rejects(host.watch({ after: 1_000_000n }).next(), { code: Code.OutOfRange });
  });

  test("calls a daemon by itself", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    await using guest = connectGuest({ address: `unix:${place.folder}/vm.sock` });
    assert.equal((await guest.guest.listContainers({})).containers.length, 1);
    assert.throws(() => connectGuest({ address: "somewhere" }), /unix:\/path/);
  });
});
