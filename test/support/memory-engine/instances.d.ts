import type { Holdings } from "./holdings.ts";
import { type Route } from "./rest.ts";
/** Instances: made, read, changed, renamed and deleted. */
export declare function instanceRoutes(held: Holdings): Route[];
