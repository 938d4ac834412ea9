import type { Engine } from "../../src/engine/engine.ts";
/** Two tarballs that make a container of busybox alone: it boots in a moment and stops when asked to. */
export interface TinyImage extends AsyncDisposable {
    readonly metadata: string;
    readonly rootfs: string;
}
/** Builds the image in a folder of its own. Installs busybox-static if it is not there. */
export declare function tinyImage(files?: Readonly<Record<string, string>>): Promise<TinyImage>;
/** Puts the image into an engine under the alias `tiny`; answers its fingerprint. */
export declare function uploadTinyImage(engine: Engine, files?: Readonly<Record<string, string>>): Promise<string>;
/** Resolves once the container's init takes signals: before that, a polite stop would be lost on it. */
export declare function booted(engine: Engine, name: string): Promise<void>;
