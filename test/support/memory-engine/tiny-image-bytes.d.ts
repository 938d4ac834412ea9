import type { ImageBytes } from "./memory-engine.ts";
/** The two files of an image for an engine in memory. Another `text` gives another image. */
export declare function tinyImageBytes(text?: string): ImageBytes;
