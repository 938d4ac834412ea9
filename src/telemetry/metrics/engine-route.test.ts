import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { engineRoute } from "./engine-route.ts";

describe("the form of a path of the engine's API", () => {
  test("has no name in it", () => {
    const routes = {
      "/1.0": "/1.0",
      "/1.0/instances": "/1.0/instances",
      "/1.0/instances?recursion=1": "/1.0/instances",
      "/1.0/instances/web": "/1.0/instances/{name}",
      "/1.0/instances/web/state": "/1.0/instances/{name}/state",
      "/1.0/instances/web/snapshots/before": "/1.0/instances/{name}/snapshots/{name}",
      "/1.0/operations/0123/wait": "/1.0/operations/{name}/wait",
      "/1.0/images/aliases/debian": "/1.0/images/aliases/{name}",
      "/internal/containers": "/internal",
      "/1.0/instances/state": "/1.0/instances/{name}",
    };
    for (const [path, route] of Object.entries(routes)) assert.equal(engineRoute(path), route, path);
  });

  test("whatever the names are, there are few of them", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("1.0", "instances", "images", "state", "snapshots", "aliases"),
    );
    const allowed =
      /^(other|\/internal|\/1\.0(\/[a-z-]+(\/(\{name\}|aliases)(\/(\{name\}|[a-z]+)(\/\{name\})?)?)?)?)$/;
    fc.assert(
      fc.property(fc.array(word), (words) => {
        assert.match(engineRoute(`/${words.join("/")}`), allowed);
      }),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        seen.add(engineRoute(`/1.0/instances/${encodeURIComponent(name)}/state`));
      }),
    );
    assert.equal(seen.size, 1);
  });
});
