import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { freePorts } from "../../../test/support/forward-fixture.ts";

function answer(place: CommandLineFixture, ...words: string[]) {
  return place.output(`forward ${words.join(" ")}`);
}

test("forwards are listed, switched and mapped", async (t) => {
  const place = await CommandLineFixture.open(t);
  place.guest.containers.set("one", "running").set("two", "stopped");
  const [port = 0, fixed = 0] = await freePorts(2);
  assert.match((await answer(place, "list")).stderr, /^no port of a container is forwarded$/m);
  assert.match((await place.output("forward")).stderr, /^no port of a container is forwarded$/m);
  place.guest.ports.listen("one", port);
  const row = new RegExp(`^one +${port} +localhost:${port}$`, "m");
  await eventually("the forward", async () => row.test((await answer(place, "list")).stdout) || undefined);

  const mapped = await answer(place, "map", "one", `${port}`, `${fixed}`);
  assert.match(mapped.stdout, new RegExp(`^one +${port} +localhost:${fixed}$`, "m"));
  const taken = await answer(place, "map", "two", `${port}`, `${fixed}`);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`port ${fixed} of this machine is for port ${port} of one`));
  const auto = await answer(place, "map", "one", `${port}`, "auto");
  assert.match(auto.stdout, row);

  const off = await answer(place, "off", "one", `${port}`);
  assert.match(off.stdout, new RegExp(`^one +${port} +- +switched off$`, "m"));
  const whole = await answer(place, "off", "one");
  assert.match(whole.stdout, /^one +all +- +the container is switched off$/m);
  await answer(place, "on", "one");
  const on = await answer(place, "on", "one", `${port}`, "--json");
  const { forwards } = JSON.parse(on.stdout);
  assert.deepEqual(forwards, [
    {
      guest: "vm",
      containerName: "one",
      port,
      hostPort: port,
      state: "OPEN",
      reason: "",
      mappedTo: 0,
      connections: 0,
    },
  ]);
});

test("a container that nobody knows cannot be switched", async (t) => {
  const place = await CommandLineFixture.open(t);
  for (const words of [
    ["on", "nosuch"],
    ["off", "nosuch", "8080"],
    ["map", "nosuch", "8080", "auto"],
  ]) {
    const { code, stderr } = await answer(place, ...words);
    assert.deepEqual(
      [code, stderr],
      [3, "tremplin: there is no container nosuch; tremplin list shows all\n"],
    );
  }
});

test("a port that cannot be one is refused", async (t) => {
  const place = await CommandLineFixture.open(t);
  place.guest.containers.set("one", "running");
  for (const [args, message] of [
    [["off", "one", "80"], /port 80 is never forwarded/],
    [["map", "one", "8080", "80"], /cannot map to port 80/],
    [["on", "a/b"], /"a\/b" is not a container name/],
    [["map", "one", "x", "80"], /it must be a port number/],
    [["map", "one", "8080", "0"], /it must be a port number, or auto/],
  ] as const) {
    const { code, stderr } = await answer(place, ...args);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  }
});
