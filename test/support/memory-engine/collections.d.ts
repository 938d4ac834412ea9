import type { Holdings } from "./holdings.ts";
import { type Route } from "./rest.ts";
/** Profiles, pools and networks. */
export declare function collectionRoutes(held: Holdings): Route[];
