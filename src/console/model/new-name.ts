import { isContainerName } from "../../base/container-name.ts";

/** What is wrong with a name for a container, whatever others there are; undefined: nothing. */
export function malformedText(name: string): string | undefined {
  if (isContainerName(name)) return undefined;
  return "A name has up to 63 letters, digits and hyphens; it begins with a letter and does not end with a hyphen.";
}

/** The sentence for the name of a container that is there. */
export function takenNameText(name: string): string {
  return `There is a container ${name} already; choose another name.`;
}
