import type { Holdings } from "./holdings.ts";
import { checkVersion, jsonBody, Refusal, type Route, reply } from "./rest.ts";

interface Named {
  readonly name: string;
}

interface Kind<Item extends Named> {
  readonly path: string;
  readonly items: Map<string, Item>;
  /** How the engine calls one of them. */
  readonly word: string;
  /** The refusal of a name that is taken. */
  readonly taken: (name: string) => Refusal;
  /** The values of a new one where the request gives none. */
  readonly defaults: Partial<Item>;
}

/** Profiles, pools and networks. */
export function collectionRoutes(held: Holdings): Route[] {
  const nothing = { description: "", config: {}, used_by: [] };
  return [
    ...routesOf({
      path: "/1.0/profiles",
      items: held.profiles,
      word: "Profile",
      taken: (name) =>
        new Refusal(500, `Error inserting "${name}" into database: The profile already exists`),
      defaults: { ...nothing, devices: {} },
    }),
    ...routesOf({
      path: "/1.0/storage-pools",
      items: held.pools,
      word: "Storage pool",
      taken: () => new Refusal(409, "The storage pool already exists: The record already exists"),
      defaults: { ...nothing, status: "Created" },
    }),
    ...routesOf({
      path: "/1.0/networks",
      items: held.networks,
      word: "Network",
      taken: () => new Refusal(400, "The network already exists"),
      defaults: { ...nothing, type: "bridge", managed: true, status: "Created" },
    }),
    reply("GET", "/1.0/storage-pools/:name/resources", () => ({
      metadata: { space: held.space, inodes: { used: 1, total: 0 } },
    })),
  ];
}

function routesOf<Item extends Named>({ path, items, word, taken, defaults }: Kind<Item>): Route[] {
  const find = (name: string | undefined): Item => {
    const found = items.get(name ?? "");
    if (!found) throw new Refusal(404, `${word} not found`);
    return found;
  };
  return [
    reply("GET", path, () => ({ metadata: [...items.values()] })),
    reply("POST", path, (request) => {
      const body = jsonBody<Item>(request);
      if (items.has(body.name)) throw taken(body.name);
      items.set(body.name, { ...defaults, ...body });
      return {};
    }),
    reply("GET", `${path}/:name`, ({ params }) => {
      const item = find(params.name);
      return { metadata: item, version: item };
    }),
    reply("PUT", `${path}/:name`, (request) => {
      const item = find(request.params.name);
      checkVersion(request, item);
      items.set(item.name, { ...item, ...jsonBody<Partial<Item>>(request) });
      return {};
    }),
    reply("DELETE", `${path}/:name`, ({ params }) => {
      items.delete(find(params.name).name);
      return {};
    }),
  ];
}
