import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../transport/client.ts";
import { TunnelPool } from "./tunnel-pool.ts";

test("beyond its calls the port that has the most loses its oldest, at once", () => {
  const unused = { transport: {}, [Symbol.dispose]() {} } as unknown as Connection;
  const pool = new TunnelPool(() => unused, 4);
  const ended: string[] = [];
  const take = (port: string, name: string) => pool.take(port, () => void ended.push(name));
  using _quiet = take("web:8080", "quiet");
  const busy = ["1", "2", "3", "4", "5"].map((name) => take("db:5432", name));
  assert.deepEqual(ended, ["1", "2"]);
  // It has given way already, so its end makes no more room.
  busy[0]?.[Symbol.dispose]();
  using _other = take("web:9090", "other");
  assert.deepEqual(ended, ["1", "2", "3"]);
  busy[4]?.[Symbol.dispose]();
  using _last = take("web:9090", "last");
  assert.deepEqual(ended, ["1", "2", "3"]);
});
