import type { InstanceState } from "../../../src/engine/resources/instance.ts";
import type { Holdings } from "./holdings.ts";
import { type InstanceRecord } from "./instance-record.ts";
import { type Route } from "./rest.ts";
/** Starting, stopping and pausing instances. */
export declare function stateRoutes(held: Holdings): Route[];
/** Lets an instance run, as a start does. */
export declare function startInstance(held: Holdings, instance: InstanceRecord): void;
/** Ends an instance; one that is ephemeral goes with that. */
export declare function stopInstance(held: Holdings, instance: InstanceRecord): void;
export declare function stateOf(held: Holdings, instance: InstanceRecord): InstanceState;
