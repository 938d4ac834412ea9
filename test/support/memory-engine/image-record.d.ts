import type { Image } from "../../../src/engine/resources/images.ts";
import type { InstanceMetadata } from "../../../src/engine/resources/instance.ts";
/** An image as the engine holds it. */
export interface ImageRecord {
    readonly fingerprint: string;
    readonly file: Buffer;
    readonly filename: string;
    readonly properties: Readonly<Record<string, string>>;
    readonly metadata: InstanceMetadata;
    /** The texts of its templates by their names. */
    readonly templates: Readonly<Record<string, string>>;
    /** The files of a new instance. */
    readonly files?: Readonly<Record<string, string>>;
    readonly cached: boolean;
    readonly uploadedAt: string;
    /** The server that it was downloaded from. */
    readonly updateSource?: {
        readonly server: string;
        readonly alias: string;
    };
}
/** Reads an image of one file, or of metadata and rootfs one behind the other. Throws for what is none. */
export declare function readImage(parts: readonly Buffer[], about: Pick<ImageRecord, "filename" | "uploadedAt"> & {
    readonly properties?: Record<string, string>;
}): ImageRecord;
export declare function viewImage(image: ImageRecord, aliases: ReadonlyMap<string, string>): Image;
