import { isContainerName } from "../../base/container-name.ts";

/** The name of the container that a backup was made of, as far as the name of the file says so; empty: it does not. */
export function nameInFile(fileName: string): string {
  const stem = fileName.replace(/(?:\.tar)?(?:\.[a-z0-9]{1,4})?(?: \(\d+\))?$/i, "");
  const name = stem.replace(/-\d{8}-\d{6}.*$/, "").replace(/[^A-Za-z0-9-]+/g, "-");
  return isContainerName(name) ? name : "";
}
