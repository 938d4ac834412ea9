import { type CallOptions, ConnectError, createClient } from "@connectrpc/connect";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { StartContainerRequest_PrivilegeLevel as Level, Tremplin } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "./daemon.ts";
import type { RandomSharedFolder } from "./random-shared-folder.ts";
import type { RandomSource } from "./random-source.ts";
import type { ContainerState } from "./random-state.ts";
import { tinyRequest } from "./tiny-container.ts";

export type RequestKind = "create" | "start" | "stop" | "delete" | "export" | "import" | "undo" | "keep";

/** A request that was sent. */
export interface SentRequest {
  readonly kind: RequestKind;
  readonly container: string;
  /** Of the container that had the name when it was sent. */
  readonly uuid: string | undefined;
  /** The name of the file that an export writes. */
  readonly target?: string;
  /** Of the operation; undefined where it was refused, or where nobody knows because the daemon died. */
  id: string | undefined;
  /** The daemon died before it answered. */
  isUnknown: boolean;
}

/** The backup that imports read. */
export const BACKUP = "backup.tar.gz";

/** Which requests make sense for what there is. */
function kindsFor(found: ContainerState | undefined): RequestKind[] {
  if (!found) return ["create", "import"];
  const hasRollbackSnapshot = found.snapshots.some(({ name }) => name.startsWith("tremplin-upgrade-"));
  const back: RequestKind[] = hasRollbackSnapshot ? ["undo", "undo", "undo", "keep"] : [];
  const state: RequestKind[] = found.status === "Stopped" ? ["start", "start", "start"] : ["stop", "stop"];
  return [...state, ...back, "delete", "delete", "export", "export", "import", "import"];
}

/** Sends random requests about containers. */
export class RandomRequests {
  readonly #daemon: TestDaemon;
  readonly #random: RandomSource;
  readonly #shared: RandomSharedFolder;
  readonly #tell: (line: string) => void;

  constructor(
    daemon: TestDaemon,
    random: RandomSource,
    { shared, tell }: { readonly shared: RandomSharedFolder; readonly tell: (line: string) => void },
  ) {
    this.#daemon = daemon;
    this.#random = random;
    this.#shared = shared;
    this.#tell = tell;
  }

  /** Decides on a request; `send` sends it. */
  async plan(container: string, found: ContainerState | undefined): Promise<() => Promise<SentRequest>> {
    const kind = this.#random.pick(kindsFor(found));
    const target = kind === "export" ? await this.#shared.target() : undefined;
    const work: SentRequest = {
      kind,
      container,
      uuid: found?.uuid,
      ...(target !== undefined && { target }),
      id: undefined,
      isUnknown: false,
    };
    const level = this.#random.pick([Level.UNCHANGED, Level.PRIVILEGED, Level.UNPRIVILEGED]);
    return () => this.#send(work, level);
  }

  /** Cancels what can be cancelled. */
  async cancel({ kind, container }: SentRequest): Promise<void> {
    const { tremplin } = this.#daemon;
    const about = { inProgressContainerName: container };
    if (kind === "export") await tremplin.cancelExportContainer(about);
    if (kind === "import") await tremplin.cancelImportContainer(about);
    this.#tell(`  cancel ${kind} ${container}`);
  }

  async #send(work: SentRequest, level: Level): Promise<SentRequest> {
    const { kind, container } = work;
    const options: CallOptions = {
      onHeader: (headers) => {
        work.id = headers.get("tremplin-operation") ?? undefined;
      },
    };
    try {
      const { status, failureReason } = await this.#call(work, level, options);
      this.#tell(
        `  ${kind} ${container}${work.target ? ` to ${work.target}` : ""}${kind === "start" ? ` ${Level[level]}` : ""}: ${work.id ?? `refused (${status}): ${failureReason}`}`,
      );
    } catch (error) {
      work.isUnknown = work.id === undefined;
      this.#tell(`  ${kind} ${container}: no answer: ${ConnectError.from(error).rawMessage}`);
    }
    return work;
  }

  async #call(
    { kind, container, target }: SentRequest,
    privilegeLevel: Level,
    options: CallOptions,
  ): Promise<{ status: number; failureReason: string }> {
    const { transport } = this.#daemon.connection;
    const tremplin = createClient(Tremplin, transport);
    const guest = createClient(Guest, transport);
    const containerName = container;
    switch (kind) {
      case "create":
        return await tremplin.createContainer(tinyRequest(this.#daemon, container), options);
      case "start":
        return await tremplin.startContainer({ containerName, privilegeLevel }, options);
      case "stop":
        return await tremplin.stopContainer({ containerName }, options);
      case "delete":
        return await tremplin.deleteContainer({ containerName }, options);
      case "export":
        return await tremplin.exportContainer({ containerName, exportPath: target ?? "" }, options);
      case "import":
        return await tremplin.importContainer({ containerName, importPath: BACKUP }, options);
      case "undo":
        return await guest.undoUpgrade({ containerName }, options);
      case "keep":
        return await guest.keepUpgrade({ containerName }, options);
    }
  }
}
