import { type Route } from "./rest.ts";
/** The engine itself: its name, version and abilities. */
export declare function serverRoutes(): Route[];
