import type { Holdings } from "./holdings.ts";
import { type Route } from "./rest.ts";
/** Images: uploaded, made of snapshots, named, fetched and deleted. */
export declare function imageRoutes(held: Holdings): Route[];
