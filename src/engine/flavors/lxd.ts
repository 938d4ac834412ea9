import { COMMON_LAYOUT, COMMON_PROCESSES, COMMON_TEXTS } from "./common.ts";
import type { Flavor } from "./flavor.ts";

/** LXD, as of version 5.0. */
export const lxd = {
  kind: "lxd",
  label: "LXD",
  program: {
    name: "lxd",
    package: "lxd",
    folders: [],
    args: ["--group", "root"],
    folderVariable: "LXD_DIR",
    environment: {},
  },
  client: { name: "lxc", socketVariable: "LXD_SOCKET" },
  api: {
    headerPrefix: "X-LXD-",
    waitHidesOperation: false,
    macPrefix: "00:16:3e",
  },
  texts: {
    ...COMMON_TEXTS,
    nameTaken: [/This ".+" entry already exists/, ...COMMON_TEXTS.nameTaken],
    unpackStages: ["create_container_from_image_unpack", "create_instance_from_image_unpack"],
    defaultProfile: /^Default LXD profile( for project .*)?$/,
  },
  processes: {
    ...COMMON_PROCESSES,
    fileServerPidFiles: (engineFolder: string, instance: string) =>
      [`${engineFolder}/logs`, "/var/log/lxd"].map((place) => `${place}/${instance}/forkfile.pid`),
  },
  layout: COMMON_LAYOUT,
} as const satisfies Flavor;
