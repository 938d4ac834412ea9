import type { ContainerExec } from "./container-exec.ts";
import { joinNames } from "./output-lines.ts";

/** Folders in which every upgrade writes. */
const WRITTEN = [
  ..."/ /bin /boot /etc /etc/apt /lib /sbin /tmp /usr /usr/bin /usr/lib /usr/share /var /var/lib".split(" "),
  ..."/var/cache/apt /var/lib/apt /var/lib/dpkg /var/lib/dpkg/info /var/log /var/tmp".split(" "),
];
/** Packages have their files below these. */
const PACKAGED = /^\/(bin|boot|etc|lib|lib32|lib64|libx32|opt|sbin|srv|usr|var)(\/|$)/;
const MAX_MOUNTS = 64;

const FIND_READ_ONLY = `for folder do
  [ ! -d "$folder" ] || [ -w "$folder" ] || printf '%s\\n' "$folder"
done`;

/** Prints each path below which, or at which, a package has a file. A place with a slash at its end is a folder. */
const FIND_PACKAGED = `for place do
  case $place in
    */) cat /var/lib/dpkg/info/*.list | grep -q -F -e "$place" ;;
    *) cat /var/lib/dpkg/info/*.list | grep -q -x -F -e "$place" ;;
  esac && printf '%s\\n' "$place"
done; true`;

/** A mount in a container. */
export interface Mount {
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** The reasons, as sentences, why dpkg could not replace files of packages; empty if it can. */
export async function checkFileSystems(exec: ContainerExec): Promise<string[]> {
  const readOnly = await linesOf(exec, ["sh", "-c", FIND_READ_ONLY, "sh", ...WRITTEN]);
  if (readOnly.length > 0) {
    return [
      `it cannot write to ${joinNames(readOnly)}: make ${readOnly.length > 1 ? "them" : "it"} writable`,
    ];
  }
  return await checkMounts(exec);
}

/** A file that is a mount of its own cannot be replaced, and nothing can be below a read-only one. */
async function checkMounts(exec: ContainerExec): Promise<string[]> {
  const { stdout } = await exec.capture(["cat", "/proc/self/mounts"]);
  const mounts = parseMounts(stdout)
    .filter(({ path }) => PACKAGED.test(path))
    .slice(0, MAX_MOUNTS);
  const places = mounts.flatMap(({ path, isReadOnly }) => (isReadOnly ? [path, `${path}/`] : [path]));
  if (places.length === 0) return [];
  const found = new Set(await linesOf(exec, ["sh", "-c", FIND_PACKAGED, "sh", ...places]));
  const folders = await linesOf(exec, [
    "sh",
    "-c",
    'for f do [ ! -d "$f" ] || echo "$f"; done',
    "sh",
    ...places,
  ]);
  const blocking = mounts
    .filter(({ path, isReadOnly }) =>
      folders.includes(path) ? isReadOnly && found.has(`${path}/`) : found.has(path),
    )
    .map(({ path }) => path);
  if (blocking.length === 0) return [];
  return [
    `packages have files at ${joinNames(blocking)}, which cannot be replaced because a mount is there: remove the mount, for example a disk device of the container`,
  ];
}

/** Parses /proc/self/mounts: device, path, type, options. Of several mounts at a path the last one counts. */
export function parseMounts(text: string): Mount[] {
  const byPath = new Map<string, Mount>();
  for (const line of text.split("\n")) {
    const [, escaped, , options] = line.split(" ");
    if (escaped === undefined || options === undefined) continue;
    const path = escaped.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    byPath.set(path, { path, isReadOnly: options.split(",").includes("ro") });
  }
  return [...byPath.values()];
}

async function linesOf(exec: ContainerExec, command: readonly string[]): Promise<string[]> {
  const { stdout } = await exec.capture(command);
  return stdout.split("\n").filter((line) => line !== "");
}
