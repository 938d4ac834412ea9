import { checkContainerName } from "../../base/container-name.ts";

/** Parses a container's name on the command line, before anything is requested. Throws `invalid`. */
export function containerName(text: string): string {
  checkContainerName(text);
  return text;
}

/** The same for an argument that may be repeated. */
export function containerNames(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, containerName(text)];
}
