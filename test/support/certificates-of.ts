import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "../../src/base/async/clock.ts";
import type { Role } from "../../src/transport/role.ts";
import { readTls, type Tls } from "../../src/transport/tls.ts";
import { Authority } from "../../src/trust/authority.ts";

/** Certificates of an authority that lasts as long as the test, one for each role. */
export async function certificatesOf(t: TestContext, ...roles: Role[]): Promise<Tls[]> {
  const folder = await mkdtemp(join(tmpdir(), "certificates-"));
  t.after(() => rm(folder, { recursive: true }));
  const authority = new Authority(join(folder, "trust"), systemClock);
  const made: Tls[] = [];
  for (const role of roles) {
    const { cert, key } = await authority.issue(role, {});
    made.push(readTls({ cert, key, ca: join(authority.folder, "ca.crt") }) as Tls);
  }
  return made;
}
