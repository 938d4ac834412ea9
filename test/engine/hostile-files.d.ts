import { GetContainerUsernameResponse_Status as Found, SetUpUserResponse_Status as SetUp } from "../../src/contract/tremplin_pb.js";
/** A trap that root of a container can prepare for SetUpUser, and the expected result. */
export interface Trap {
    readonly title: string;
    /** Runs in the container. OUTSIDE stands for a folder of the guest. */
    readonly plant: string;
    readonly found?: Found;
    readonly setUp: SetUp;
    /** The reason of the failure. */
    readonly reason?: RegExp;
    /** A script that runs in the container after the call, and its output. */
    readonly look?: string;
    readonly there?: RegExp;
}
export declare const traps: readonly Trap[];
