/**
 * Everything in which one engine differs from another. A new engine is one file that fills this in and one line in
 * flavors.ts; no other file of the program names an engine. docs/engines.md describes the differences themselves.
 */
export interface Flavor {
  /** The engine's name in its API (`environment.server`), in `--engine`, and of its folder below the state folder. */
  readonly kind: string;
  /** Its name in sentences. */
  readonly label: string;
  readonly program: EngineDaemonProgram;
  readonly client: EngineClientProgram;
  readonly api: ApiDifferences;
  readonly texts: EngineTexts;
  readonly processes: EngineProcesses;
  readonly layout: EngineLayout;
}

/** How the engine's daemon is found and started. */
export interface EngineDaemonProgram {
  /** The name of its executable. */
  readonly name: string;
  /** The Debian package that contains it. */
  readonly package: string;
  /** Folders outside the usual search path in which the package puts the daemon and its helpers. */
  readonly folders: readonly string[];
  readonly args: readonly string[];
  /** The environment variable that names the daemon's folder; a running daemon shows by it which folder it serves. */
  readonly folderVariable: string;
  /** All other variables that it needs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The engine's own command line client, for advice to people. */
export interface EngineClientProgram {
  readonly name: string;
  /** The environment variable that makes it use the engine at a socket. */
  readonly socketVariable: string;
}

/** Where the REST APIs differ in form. */
export interface ApiDifferences {
  /** The beginning of the engine's own HTTP headers. */
  readonly headerPrefix: string;
  /**
   * Whether the engine answers the wait for an operation with an error instead of the operation when that failed, was
   * cancelled, or is still running at the time limit.
   */
  readonly waitHidesOperation: boolean;
  /** The first three bytes of the MAC addresses that the engine generates, in lower case. */
  readonly macPrefix: string;
}

/**
 * Sentences and names in the engine's answers that the client must recognise. Errors and progress are compared with
 * those of every flavor: the first error can arrive before the engine has said what it is.
 */
export interface EngineTexts {
  /** Errors that mean that the name of a new object is already taken. */
  readonly nameTaken: readonly RegExp[];
  /** Errors that mean that another operation holds the instance: nothing was done, and a retry works. */
  readonly busy: readonly RegExp[];
  /** The error of an operation that was cancelled. */
  readonly cancelled: RegExp;
  /** The `stage` of an operation's progress while it unpacks an image. */
  readonly unpackStages: readonly string[];
  /** The progress of a download. Group 1 is the file (`metadata` or `rootfs`), group 2 the percentage. */
  readonly downloadProgress: RegExp;
  /** Descriptions of operations that do not change the instance and may run without limit. */
  readonly readOnlyOperation: RegExp;
  /** Descriptions of operations that create an instance. A copy lists the new instance first, then its source. */
  readonly createOperation: RegExp;
  /** The description of the operation behind an upload of an image, and of a download. */
  readonly imageTransfer: string;
  /** The description that the engine itself gives to the profile `default` of a new project. */
  readonly defaultProfile: RegExp;
}

/** How to recognise the engine's helper processes on this machine. */
export interface EngineProcesses {
  /**
   * The beginning of the title of the process that monitors a running container of an engine with that folder; the
   * container's name follows.
   */
  monitorTitle(engineFolder: string): string;
  /** The first argument of the process that serves the files of an instance. */
  readonly fileServer: string;
  /** Where an engine with that folder may keep the pid of the process that serves the files of an instance. */
  fileServerPidFiles(engineFolder: string, instance: string): string[];
  /** The programs with which the engine unpacks images. */
  readonly unpackers: readonly string[];
}

/** Names in the engine's folder, and in the storage pools below it. */
export interface EngineLayout {
  /** The socket of the API. */
  readonly socket: string;
  readonly database: string;
  /** The part of the database that a first start creates, relative to the engine's folder. */
  readonly globalDatabase: string;
  /** One folder for each network, named like it. */
  readonly networks: string;
  readonly images: string;
  /** The mount points of the storage pools. */
  readonly pools: string;
  /** The files of storage pools that are loop devices. */
  readonly loopFiles: string;
  /** One folder for each container: in the engine's folder links to them, in a pool the containers themselves. */
  readonly containers: string;
  /** In a pool: the snapshots, in one folder for each container. */
  readonly snapshots: string;
  /** In a pool: the custom volumes. */
  readonly customVolumes: string;
  /** In a container's folder: the engine's own description of the container. */
  readonly backupYaml: string;
  /** One folder for each container, with the configuration that liblxc runs it with. */
  readonly liblxcConfigs: string;
}

/** The engine's own headers of a request about an image, from keys without their prefix. */
export function engineHeaders(
  { api }: Flavor,
  values: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) headers[api.headerPrefix + key] = value;
  }
  return headers;
}
