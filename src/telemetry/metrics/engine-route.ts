/** The kinds of objects in the engine's API. Anything else counts as one, so that no name becomes part of a metric. */
const collections = new Set([
  "certificates",
  "cluster",
  "events",
  "images",
  "instances",
  "metadata",
  "networks",
  "operations",
  "profiles",
  "projects",
  "resources",
  "storage-pools",
  "warnings",
]);
const parts = new Set([
  "backups",
  "console",
  "exec",
  "export",
  "files",
  "leases",
  "logs",
  "metadata",
  "rebuild",
  "refresh",
  "resources",
  "sftp",
  "snapshots",
  "state",
  "volumes",
  "wait",
  "websocket",
]);
/** What comes after `images`, and is no image. */
const subcollections = new Set(["aliases"]);

const OTHER = "other";

/** The form of a path of the engine's API without any name in it: `/1.0/instances/{name}/state`. One of about 100. */
export function engineRoute(path: string): string {
  const [, version = "", collection, name, part, inner] = (path.split("?")[0] ?? "").split("/");
  if (version === "internal") return "/internal";
  if (version !== "1.0") return OTHER;
  if (collection === undefined) return "/1.0";
  if (!collections.has(collection)) return OTHER;
  const route = `/1.0/${collection}`;
  if (name === undefined) return route;
  if (subcollections.has(name)) return part === undefined ? `${route}/${name}` : `${route}/${name}/{name}`;
  if (part === undefined) return `${route}/{name}`;
  if (!parts.has(part)) return OTHER;
  return `${route}/{name}/${part}${inner === undefined ? "" : "/{name}"}`;
}
