import { toJson } from "@bufbuild/protobuf";
import { Command, Option } from "commander";
import { noRollbackSnapshot } from "../../actions/container-actions.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  CheckUpgradeProgressSchema,
  Guest,
  RollbackResponse_Status as Rollback,
} from "../../contract/tremplin/v1/guest_pb.js";
import {
  CancelUpgradeContainerResponse_Status as Cancelled,
  UpgradeContainerResponse_Status as Status,
  Tremplin,
  UpgradeContainerRequest_Version as Version,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { checkContainerExists } from "../host-client/check-exists.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import { refusalError } from "../host-client/refusal-error.ts";
import { type OperationSpec, type Reply, runOperation } from "../host-client/run-operation.ts";
import { reportResult, runAndReport, withSession } from "../host-client/session.ts";
import { upgradeReader } from "../host-client/upgrade-reader.ts";
import type { Io } from "../io.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly to?: string;
  readonly dryRun?: true;
  readonly rollback?: true;
  /** The former name of --rollback. */
  readonly undo?: true;
  readonly commit?: true;
  /** The former name of --commit. */
  readonly keep?: true;
  readonly cancel?: true;
  readonly yes?: true;
}

export function upgradeCommand(io: Io): Command {
  const command = new Command("upgrade")
    .argument("<name>", "the container; it must be running for --to", containerName)
    .option("--to <release>", `the Debian release to upgrade to: ${releases().join(", ")}`)
    .option("--dry-run", "with --to: check whether the upgrade is possible, and change nothing")
    .option("--rollback", "return to the state before the last upgrade, within seven days of it")
    .addOption(new Option("--undo").hideHelp())
    .option("--commit", "keep the upgrade: delete the rollback snapshot and free its space")
    .addOption(new Option("--keep").hideHelp())
    .option("--cancel", "cancel a running upgrade and roll it back")
    .option("--yes", "do not ask for confirmation")
    .addHelpText("after", "\nGive exactly one of --to, --rollback, --commit and --cancel.");
  return withHostFlags(command, "operation").action((container: string, flags: Flags) =>
    act(container, flags, io),
  );
}

async function act(container: string, flags: Flags, io: Io): Promise<void> {
  const { to, cancel, rollback = flags.undo, commit = flags.keep } = flags;
  const actions = [to, rollback, commit, cancel].filter((action) => action !== undefined);
  if (actions.length !== 1 || (flags.dryRun && !to)) {
    throw new TremplinError(
      "invalid",
      "use exactly one of --to RELEASE (optionally with --dry-run), --rollback, --commit and --cancel",
    );
  }
  if (rollback) return await rollBack(container, flags, io);
  if (commit) return await runAndReport(commitSpec(container), flags, io);
  if (cancel) return await cancelUpgrade(container, flags, io);
  const target = versionOf(to ?? "");
  if (flags.dryRun) return await check(container, target, flags, io);
  await upgrade(container, to ?? "", target, flags, io);
}

/** The names of all releases that have a number in the contract. */
function releases(): string[] {
  return Object.keys(Version)
    .filter((key) => key.startsWith("DEBIAN_"))
    .map((key) => key.slice("DEBIAN_".length).toLowerCase());
}

function versionOf(release: string): Version {
  if (releases().includes(release)) return Version[`DEBIAN_${release.toUpperCase()}` as keyof typeof Version];
  throw new TremplinError("invalid", `"${release}" is not one of the releases ${releases().join(", ")}`);
}

async function upgrade(container: string, to: string, targetVersion: Version, flags: Flags, io: Io) {
  const title = `upgrading ${container} to ${to}`;
  const outcome = await withSession(title, flags, io, (session) => {
    const request = (api: HostApi, settings: CallSettings) =>
      requestUpgrade(api, container, targetVersion, settings);
    const read = upgradeReader((log) => session.progress.print(`the complete log is ${log} on the guest`));
    const about = { title, kind: "upgrade", cancelledBy: "upgrade", container } as const;
    return runOperation(session, { ...about, request, read });
  });
  reportResult(container, outcome, flags, io);
}

async function requestUpgrade(
  api: HostApi,
  containerName: string,
  targetVersion: Version,
  settings: CallSettings,
): Promise<Reply> {
  const request = { containerName, targetVersion };
  const { status, failureReason } = await api.call(Tremplin.method.upgradeContainer, request, settings);
  if (status === Status.STARTED) return { kind: "accepted" };
  if (status === Status.ALREADY_UPGRADED) return { kind: "already", text: plainText(failureReason) };
  return { kind: "refused", reason: failureReason };
}

async function check(containerName: string, targetVersion: Version, flags: Flags, io: Io): Promise<void> {
  const title = `checking whether ${containerName} can be upgraded`;
  await withSession(title, flags, io, async ({ api, progress, json }) => {
    const request = { containerName, targetVersion };
    const answers = api.stream(Guest.method.checkUpgrade, request, { signal: io.interrupted });
    for await (const answer of answers) {
      if (json) io.out(jsonLine({ check: toJson(CheckUpgradeProgressSchema, answer) }));
      if (!answer.done) progress.update(plainText(answer.message));
      if (!json) io.out(answer.notes.map((note) => `${plainText(note)}\n`).join(""));
      throwProblems(containerName, answer.problems);
    }
  });
  if (!flags.json) io.out(`${containerName}: can be upgraded; nothing was changed\n`);
}

function throwProblems(container: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const reasons = problems.map(plainText).join("; ");
  throw new TremplinError("failed", `${container} cannot be upgraded yet: ${reasons}`);
}

async function rollBack(container: string, flags: Flags, io: Io): Promise<void> {
  const question = `Roll ${container} back? All changes in it since its upgrade are lost.`;
  if (!flags.yes) {
    await checkRollbackSnapshot(container, flags, io);
    await confirm(container, { verb: "roll back", participle: "rolled back", question }, io);
  }
  const spec: OperationSpec = {
    title: `rolling ${container} back`,
    kind: "upgrade",
    container,
    request: async (api, settings) =>
      replyOf(await api.call(Guest.method.undoUpgrade, { containerName: container }, settings)),
  };
  await runAndReport(spec, flags, io);
}

/** Throws `not-found` before a person is asked. A guest with the original contract alone does not know. */
async function checkRollbackSnapshot(container: string, flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  await checkContainerExists(api, container, io.interrupted);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const listed = await api.call(Guest.method.listContainers, {}, settings).catch(() => undefined);
  io.interrupted.throwIfAborted();
  const found = listed?.containers.find(({ name }) => name === container);
  if (found?.hasRollbackSnapshot !== false) return;
  throw new TremplinError("not-found", noRollbackSnapshot(container));
}

function commitSpec(container: string): OperationSpec {
  return {
    title: `committing the upgrade of ${container}`,
    kind: "upgrade",
    container,
    request: async (api, settings) =>
      replyOf(await api.call(Guest.method.keepUpgrade, { containerName: container }, settings)),
  };
}

function replyOf({ status, failureReason }: { status: Rollback; failureReason: string }): Reply {
  if (status === Rollback.STARTED) return { kind: "accepted" };
  if (status === Rollback.NO_ROLLBACK_SNAPSHOT) return { kind: "missing", text: plainText(failureReason) };
  return { kind: "refused", reason: failureReason };
}

async function cancelUpgrade(containerName: string, flags: Flags, io: Io): Promise<void> {
  const title = `cancelling the upgrade of ${containerName}`;
  const text = await withSession(title, flags, io, async ({ api }) => {
    const { status, failureReason } = await api.call(
      Tremplin.method.cancelUpgradeContainer,
      { containerName },
      { signal: io.interrupted, timeout: 60_000 },
    );
    if (status === Cancelled.CANCELLED) return "the upgrade was cancelled and rolled back";
    const nothing = `no upgrade of ${containerName} is running; nothing was changed`;
    const reason = status === Cancelled.NOT_RUNNING ? nothing : failureReason;
    throw await refusalError(api, title, containerName, reason, true);
  });
  reportResult(containerName, { text }, flags, io);
}
