import { tarBytes } from "../tar-bytes.ts";
import type { ImageBytes } from "./memory-engine.ts";

/** The two files of an image for an engine in memory. Another `text` gives another image. */
export function tinyImageBytes(text = "tiny"): ImageBytes {
  const yaml = "architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: tiny}\n";
  return {
    metadata: tarBytes([{ name: "metadata.yaml", content: yaml }]),
    rootfs: tarBytes([{ name: "./etc/hostname", content: text }]),
  };
}
