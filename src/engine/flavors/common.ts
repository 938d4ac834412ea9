import type { EngineLayout, EngineProcesses, EngineTexts } from "./flavor.ts";

/** What LXD and Incus have in common because Incus began as a copy of LXD. A flavor takes from here what applies. */
export const COMMON_TEXTS = {
  /**
   * Not simply "already exists": a container that cannot start because a port is "already in use" has no name in
   * conflict.
   */
  nameTaken: [
    /^(The )?(instance|network|storage pool|snapshot|image|alias|profile)\b.* already (exists|in use)/i,
    /: The profile already exists$/,
    /^Name ".+" already in use/,
    /^Image with same fingerprint already exists/,
  ],
  busy: [/A matching non-reusable operation has now succeeded/, /^Instance is busy running a/],
  cancelled: /context canceled$/,
  downloadProgress: /^(\w+): (\d+)% [A-Za-z0-9 /.()]*$/,
  readOnlyOperation: /^(Executing command|Showing console|Backing up|Copying|Transferring)\b/,
  createOperation: /^Creating\b/,
  imageTransfer: "Downloading image",
} as const satisfies Partial<EngineTexts>;

export const COMMON_PROCESSES = {
  monitorTitle: (engineFolder: string) => `[lxc monitor] ${engineFolder}/containers `,
  fileServer: "forkfile",
  unpackers: ["tar", "unsquashfs"],
} as const satisfies Partial<EngineProcesses>;

export const COMMON_LAYOUT = {
  socket: "unix.socket",
  database: "database",
  globalDatabase: "database/global",
  networks: "networks",
  images: "images",
  pools: "storage-pools",
  loopFiles: "disks",
  containers: "containers",
  snapshots: "containers-snapshots",
  customVolumes: "custom",
  backupYaml: "backup.yaml",
  liblxcConfigs: "logs",
} as const satisfies EngineLayout;
