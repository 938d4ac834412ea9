/** The packages of a parsed package-lock.json, without the project itself: its entries with `path` and `name`. */
export function lockEntries(lock) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => ({ ...entry, path, name: entry.name ?? path.replace(/^.*node_modules\//, "") }));
}

/** Where the program runs. */
export const processors = ["x64", "arm64"];

/** Whether npm installs a package on Linux with the C library of Debian and Ubuntu. */
export function runsOn({ os, cpu, libc }, processor) {
  return allows(os, "linux") && allows(cpu, processor) && allows(libc, "glibc");
}

/** What package.json lists is allowed or, with "!", is not. One name may stand without a list. */
function allows(wanted = [], value) {
  const list = [wanted].flat();
  return list.includes(value) || (list.every((each) => each.startsWith("!")) && !list.includes(`!${value}`));
}

/** The entry that a package gets for a dependency: the nearest folder node_modules on the way up has it. */
export function findEntry(lock, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (path in lock.packages) return path;
    if (at === "") return undefined;
  }
}
