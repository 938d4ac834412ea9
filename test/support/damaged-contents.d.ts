import fc from "fast-check";
/** What a file of JSON may have become: cut off, overwritten, of another type, of another version. */
export declare const damagedContents: Readonly<Record<string, Buffer>>;
/** Bytes that are hardly ever JSON, and JSON that is hardly ever what was written. */
export declare const anyContent: fc.Arbitrary<Buffer<ArrayBuffer> | Buffer<ArrayBufferLike>>;
