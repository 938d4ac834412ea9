import fc from "fast-check";
/** Names that are no host names: what gRPC's C core sends over unix sockets, and what others may. */
export declare const authorities: string[];
/** What a server may be given to read: requests of either version that are nearly good, and rubbish. */
export declare const requestBytes: fc.Arbitrary<Buffer>;
/** What a client may be given to read in answer. */
export declare const answerBytes: fc.Arbitrary<Buffer>;
