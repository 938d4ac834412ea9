import { bytesText, plainText } from "../base/text.ts";
import type { Event } from "../contract/tremplin/v1/host_pb.js";
import {
  type ContainerExportProgress,
  type ContainerImportProgress,
  ContainerCreationProgress_Status as Create,
  ContainerDeletionProgress_Status as Delete,
  ContainerExportProgress_Status as Export,
  ContainerImportProgress_Status as Import,
  type ListeningPortInfo,
  ContainerStartProgress_Status as Start,
  StartLxdProgress_Status as StartLxd,
  ContainerStopProgress_Status as Stop,
  UpgradeContainerProgress_Status as Upgrade,
  type UpgradeContainerProgress,
} from "../contract/tremplin_pb.js";

/** A notice in words. */
export interface NoticeText {
  /** Whether the operation continues, succeeded, or failed (or was cancelled). */
  readonly state: "going" | "done" | "failed";
  /** Empty for an operation on the engine itself. */
  readonly container: string;
  /** Includes the reason. */
  readonly text: string;
  /** What the guest gave as the reason of a failure, or adds to a success. */
  readonly reason?: string;
  /** 0 to 100. */
  readonly percent?: number;
  /** Bytes processed so far. */
  readonly bytes?: number;
}

type Reading = Omit<NoticeText, "container" | "reason">;

/** The words for an event; undefined for the one that only begins a watch. */
export function noticeText({ notice }: Pick<Event, "notice">): NoticeText | undefined {
  if (notice.case === undefined || notice.case === "begun") return undefined;
  const container = "containerName" in notice.value ? plainText(notice.value.containerName) : "";
  const reason = "failureReason" in notice.value ? plainText(notice.value.failureReason) : "";
  const reading = read(notice);
  if (reason === "") return { ...reading, container };
  const isRepeated = reading.text.endsWith("was cancelled") && reason.endsWith("cancelled");
  return { ...reading, container, text: isRepeated ? reading.text : `${reading.text}: ${reason}`, reason };
}

function read(notice: Exclude<Event["notice"], { case: undefined } | { case: "begun" }>): Reading {
  switch (notice.case) {
    case "ready":
      return done("the daemon is ready");
    case "startLxd":
      return of(notice.value.status, {
        [StartLxd.STARTING]: going("starting the engine"),
        [StartLxd.RECOVERING]: going("recovering the engine's database"),
        [StartLxd.STARTED]: done("the engine is running"),
        [StartLxd.FAILED]: failed("starting the engine failed"),
      });
    case "create":
      return of(notice.value.status, {
        [Create.DOWNLOADING]: going("fetching the image", notice.value.downloadProgress),
        [Create.CREATED]: done("created"),
        [Create.DOWNLOAD_TIMED_OUT]: failed("creating failed: the download took too long"),
        [Create.CANCELLED]: failed("creating was cancelled"),
        [Create.FAILED]: failed("creating failed"),
      });
    case "delete":
      return of(notice.value.status, {
        [Delete.DELETED]: done("deleted"),
        [Delete.CANCELLED]: failed("deleting was cancelled"),
        [Delete.FAILED]: failed("deleting failed"),
      });
    case "start":
      return of(notice.value.status, {
        [Start.STARTING]: going("starting"),
        [Start.STARTED]: done("started"),
        [Start.CANCELLED]: failed("starting was cancelled"),
        [Start.FAILED]: failed("starting failed"),
      });
    case "stop":
      return of(notice.value.status, {
        [Stop.STOPPING]: going("stopping"),
        [Stop.STOPPED]: done("stopped"),
        [Stop.CANCELLED]: failed("stopping was cancelled"),
        [Stop.FAILED]: failed("stopping failed"),
      });
    case "export":
      return readExport(notice.value);
    case "import":
      return readImport(notice.value);
    case "shutdown":
      return done("has shut down");
    case "ports":
      return done(portsText(notice.value));
    case "upgrade":
      return of(notice.value.status, {
        [Upgrade.IN_PROGRESS]: going(lastLine(notice.value) || "upgrading"),
        [Upgrade.SUCCEEDED]: done(lastLine(notice.value) || "upgraded"),
        [Upgrade.FAILED]: failed(lastLine(notice.value) || "upgrading failed"),
      });
  }
}

function readExport(progress: ContainerExportProgress): Reading {
  if (progress.status === Export.DONE) return done(`exported, ${bytesText(progress.bytesExported)}`);
  if (progress.status === Export.FAILED) return failed("exporting failed");
  if (progress.status === Export.CANCELLED) return failed("exporting was cancelled");
  if (!Export[progress.status] || progress.status === Export.UNKNOWN) return unknownStatus(progress.status);
  const { inputFilesStreamed: files, totalInputFiles, inputBytesStreamed: bytes, totalInputBytes } = progress;
  if (totalInputFiles === 0) return going("taking a snapshot and counting its files");
  const read = `${files} of ${totalInputFiles} files, ${bytesText(bytes)} of ${bytesText(totalInputBytes)}`;
  // The mean of both, as ChromiumOS's host computes it (docs/contract.md#how-hosts-use-it).
  const percent = (share(files, totalInputFiles) + share(bytes, totalInputBytes)) / 2;
  const text = `packing, ${read}, ${bytesText(progress.bytesExported)} written`;
  return { ...going(text, percent), bytes: Number(bytes) };
}

function readImport(progress: ContainerImportProgress): Reading {
  const { progressPercent: percent, progressSpeed: speed } = progress;
  return of(progress.status, {
    [Import.IMPORTING_UPLOAD]: going("reading the backup", percent / 2),
    [Import.IMPORTING_UNPACK]: going(`unpacking the backup, ${bytesText(speed)}/s`, 50 + percent / 2),
    [Import.DONE]: done("imported"),
    [Import.FAILED]: failed("importing failed"),
    [Import.FAILED_ARCHITECTURE]: failed("importing failed: the backup is of another architecture"),
    [Import.FAILED_SPACE]: failed(
      `importing failed: it needs ${bytesText(progress.diskSpaceRequiredBytes)} and ${bytesText(progress.diskSpaceAvailableBytes)} are free`,
    ),
    [Import.CANCELLED]: failed("importing was cancelled"),
  });
}

function portsText({ containerPorts }: ListeningPortInfo): string {
  const each = Object.entries(containerPorts).map(([name, { listeningTcp4Ports: ports }]) => {
    return `${plainText(name)}: ${ports.length > 0 ? ports.join(" ") : "none"}`;
  });
  return `listening ports of ${each.join("; ") || "no container"}`;
}

function lastLine({ progressMessages }: UpgradeContainerProgress): string {
  return plainText(progressMessages.at(-1) ?? "");
}

/** A status outside the contract, or 0, counts as the failed end of the operation (docs/contract.md#deadlines). */
function of(status: number, readings: Readonly<Record<number, Reading>>): Reading {
  return readings[status] ?? unknownStatus(status);
}

function unknownStatus(status: number): Reading {
  return failed(`ended with the unknown status ${status}`);
}

function share(part: number | bigint, whole: number | bigint): number {
  return Number(whole) > 0 ? (100 * Number(part)) / Number(whole) : 0;
}

function going(text: string, percent?: number): Reading {
  if (percent === undefined) return { state: "going", text };
  return { state: "going", text, percent: Math.min(100, Math.max(0, Math.round(percent))) };
}

function done(text: string): Reading {
  return { state: "done", text };
}

function failed(text: string): Reading {
  return { state: "failed", text };
}
