import * as z from "zod";
import { DEFAULT_PROJECT } from "../../../engine/resources/projects.ts";

const config = z.record(z.string(), z.string());
const named = z.object({ name: z.string(), description: z.string().default(""), config });
const inProject = named.extend({ project: z.string().default(DEFAULT_PROJECT) });
const rules = z.array(z.unknown()).nullable();

/**
 * The part of an engine's database that is not also in each container's backup.yaml. Lists that an earlier version
 * did not write are empty.
 */
export const configSchema = z.object({
  pools: z.array(named.extend({ driver: z.string() })).default([]),
  projects: z.array(named).default([]),
  zones: z.array(inProject.extend({ records: z.array(named.extend({ entries: rules })) })).default([]),
  acls: z.array(inProject.extend({ ingress: rules, egress: rules })).default([]),
  networks: z
    .array(
      inProject.extend({
        type: z.string(),
        forwards: z
          .array(
            z.object({
              listen_address: z.string(),
              description: z.string(),
              config: config.nullable(),
              ports: rules,
            }),
          )
          .default([]),
      }),
    )
    .default([]),
  profiles: z.array(inProject.extend({ devices: z.record(z.string(), config) })).default([]),
  volumes: z
    .array(
      inProject.extend({
        pool: z.string(),
        snapshots: z.array(named.extend({ expires_at: z.string().nullable() })),
      }),
    )
    .default([]),
  images: z
    .array(
      z.object({
        project: z.string(),
        fingerprint: z.string(),
        filename: z.string(),
        public: z.boolean(),
        auto_update: z.boolean(),
        expires_at: z.string(),
        profiles: z.array(z.string()).nullable().default(null),
        properties: config,
        aliases: z.array(z.object({ name: z.string(), description: z.string() })),
        update_source: z.object({ server: z.string(), alias: z.string() }).nullable().default(null),
      }),
    )
    .default([]),
  /** The engine's own config; `true` stands for a secret, which the engine does not return. Undefined when it was not recorded. */
  server: z.record(z.string(), z.union([z.string(), z.boolean()])).optional(),
  certificates: z
    .array(
      z.object({
        name: z.string(),
        type: z.string(),
        restricted: z.boolean().default(false),
        projects: z.array(z.string()).nullable().default(null),
        certificate: z.string(),
      }),
    )
    .default([]),
});

export type EngineConfigBackup = z.infer<typeof configSchema>;
export type ConfigKind = Exclude<keyof EngineConfigBackup, "server">;
export type ItemOf<K extends ConfigKind> = EngineConfigBackup[K][number];

const nouns: Readonly<Record<ConfigKind, string>> = {
  pools: "pool",
  projects: "project",
  zones: "network zone",
  acls: "network ACL",
  networks: "network",
  profiles: "profile",
  volumes: "volume",
  images: "image",
  certificates: "trusted certificate",
};
export const kinds = Object.keys(nouns) as ConfigKind[];

/** The properties that identify an item; which of them, depends on its kind. */
interface Naming {
  readonly name?: string;
  readonly project?: string;
  readonly pool?: string;
  readonly fingerprint?: string;
}

/** The name of an item for a person, unique within a setup. */
export function labelOf<K extends ConfigKind>(kind: K, item: ItemOf<K>): string {
  const { name, project, pool, fingerprint } = item as Naming;
  const own = kind === "images" ? fingerprint?.slice(0, 12) : pool === undefined ? name : `${pool}/${name}`;
  const where = project === undefined || project === DEFAULT_PROJECT ? "" : ` in project ${project}`;
  return `${nouns[kind]} ${own}${where}`;
}

export function serverLabel(key: string): string {
  return `config ${key} of the engine`;
}

/** The label of the part of an image that no engine accepts back. */
export function sourceLabel(image: ItemOf<"images">): string {
  return `update source of ${labelOf("images", image)}`;
}

/** The label of the part of a volume's snapshot that no engine accepts back. */
export function snapshotLabel(volume: ItemOf<"volumes">, { name }: { readonly name: string }): string {
  return `config of the snapshot ${name} of ${labelOf("volumes", volume)}`;
}

/** The labels of all items of a setup. */
export function labelsOf(setup: EngineConfigBackup): Set<string> {
  const ofKinds = kinds.flatMap((kind) => setup[kind].map((item) => labelOf(kind, item as never)));
  const sources = setup.images.filter((image) => image.update_source).map(sourceLabel);
  const snapshots = setup.volumes.flatMap((volume) =>
    volume.snapshots
      .filter(({ config }) => Object.keys(config).length > 0)
      .map((snapshot) => snapshotLabel(volume, snapshot)),
  );
  return new Set([...ofKinds, ...sources, ...snapshots, ...Object.keys(setup.server ?? {}).map(serverLabel)]);
}

/** Only those items whose label is wanted. */
export function pickFrom(
  setup: EngineConfigBackup,
  isWanted: (label: string) => boolean,
): EngineConfigBackup {
  const lists = kinds.map((kind) => [
    kind,
    setup[kind].filter((item) => isWanted(labelOf(kind, item as never))),
  ]);
  const keys = Object.entries(setup.server ?? {}).filter(([key]) => isWanted(serverLabel(key)));
  const server = setup.server && { server: Object.fromEntries(keys) };
  return { ...Object.fromEntries(lists), ...server } as EngineConfigBackup;
}

/** A setup, completed with the items that only `other` has. */
export function withMissing(setup: EngineConfigBackup, other: EngineConfigBackup): EngineConfigBackup {
  const known = labelsOf(setup);
  const more = pickFrom(other, (label) => !known.has(label));
  const lists = kinds.map((kind) => [kind, [...setup[kind], ...more[kind]]]);
  const server = setup.server || more.server ? { server: { ...more.server, ...setup.server } } : {};
  return { ...Object.fromEntries(lists), ...server } as EngineConfigBackup;
}
