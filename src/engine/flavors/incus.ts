import { COMMON_LAYOUT, COMMON_PROCESSES, COMMON_TEXTS } from "./common.ts";
import type { Flavor } from "./flavor.ts";

/** Incus, as of version 6.0. */
export const incus = {
  kind: "incus",
  label: "Incus",
  program: {
    name: "incusd",
    package: "incus",
    folders: ["/usr/libexec/incus"],
    args: ["--group", "root"],
    folderVariable: "INCUS_DIR",
    // Otherwise Incus downloads a list of instance types at each start.
    environment: { INCUS_SKIP_INSTANCE_TYPES: "true" },
  },
  client: { name: "incus", socketVariable: "INCUS_SOCKET" },
  api: {
    headerPrefix: "X-Incus-",
    waitHidesOperation: true,
    macPrefix: "10:66:6a",
  },
  texts: {
    ...COMMON_TEXTS,
    nameTaken: [/UNIQUE constraint failed/, ...COMMON_TEXTS.nameTaken],
    unpackStages: ["create_instance_from_image_unpack"],
    defaultProfile: /^Default Incus profile( for project .*)?$/,
  },
  processes: {
    ...COMMON_PROCESSES,
    fileServerPidFiles: (engineFolder: string, instance: string) =>
      [`${engineFolder}/run`, "/run/incus", "/var/log/incus"].map(
        (place) => `${place}/${instance}/forkfile.pid`,
      ),
  },
  layout: COMMON_LAYOUT,
} as const satisfies Flavor;
