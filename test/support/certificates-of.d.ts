import type { TestContext } from "node:test";
import type { Role } from "../../src/transport/role.ts";
import { type Tls } from "../../src/transport/tls.ts";
/** Certificates of an authority that lasts as long as the test, one for each role. */
export declare function certificatesOf(t: TestContext, ...roles: Role[]): Promise<Tls[]>;
