import { isTemporaryName } from "./temporary-name.ts";
import { TremplinError } from "./tremplin-error.ts";

const RULE =
  "1 to 63 letters, digits and hyphens, not starting with a digit or a hyphen, not ending with a hyphen";

/** Whether an engine can give a container that name. */
export function isContainerName(name: string): boolean {
  return /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name);
}

/** Throws `invalid` for a name that no container can have, and for temporary names. */
export function checkContainerName(name: string): void {
  if (!isContainerName(name)) {
    throw new TremplinError("invalid", `"${printable(name)}" is not a container name: it must be ${RULE}`);
  }
  if (isTemporaryName(name)) {
    throw new TremplinError(
      "invalid",
      `the name ${name} is reserved for temporary containers; choose another`,
    );
  }
}

function printable(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name).slice(1, -1);
}
