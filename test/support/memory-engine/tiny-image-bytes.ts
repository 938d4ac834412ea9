import { tarBytes } from "../tar-bytes.ts";

/** The two files of an image for an engine in memory. Another `text` gives another image. */
export function tinyImageBytes(text = "tiny"): { readonly metadata: Buffer; readonly rootfs: Buffer } {
  const yaml = "architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: tiny}\n";
  return {
    metadata: tarBytes([{ name: "metadata.yaml", content: yaml }]),
    rootfs: tarBytes([{ name: "./etc/hostname", content: text }]),
  };
}
