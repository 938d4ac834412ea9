import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  CheckUpgradeProgressSchema,
  Guest,
  RollbackResponse_Status as Way,
} from "../../contract/tremplin/v1/guest_pb.js";
import {
  CancelUpgradeContainerResponse_Status as Cancelled,
  UpgradeContainerResponse_Status as Status,
  Tremplin,
  UpgradeContainerRequest_Version as Version,
} from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Answer, runOperation } from "../host-client/operation.ts";
import { reportResult, runWork, withSession } from "../host-client/session.ts";
import { upgradeReader } from "../host-client/upgrade-reader.ts";
import type { Io } from "../io.ts";
import { refusal } from "../text/refusal.ts";
import { plainText } from "../text/text.ts";

interface Flags extends HostFlags {
  readonly to?: string;
  readonly dryRun?: true;
  readonly undo?: true;
  readonly keep?: true;
  readonly cancel?: true;
  readonly yes?: true;
}

export function upgradeCommand(io: Io): Command {
  const command = new Command("upgrade")
    .argument("<name>", "the container, which must run")
    .option("--to <release>", `the Debian release it is to become: ${releases().join(", ")}`)
    .option("--dry-run", "with --to: only look whether it can be done, and what it takes")
    .option("--undo", "take it back to what it was before its last upgrade")
    .option("--keep", "give up the way back, and free its space")
    .option("--cancel", "stop an upgrade that is under way; it is put back")
    .option("--yes", "do not ask");
  return withHostFlags(command).action((container: string, flags: Flags) => act(container, flags, io));
}

async function act(container: string, flags: Flags, io: Io): Promise<void> {
  const { to, undo, keep, cancel } = flags;
  if ([to, undo, keep, cancel].filter((way) => way !== undefined).length !== 1 || (flags.dryRun && !to)) {
    throw new TremplinError(
      "invalid",
      "say what is to be done, in one way: --to RELEASE (with --dry-run to look only), --undo, --keep or --cancel",
    );
  }
  if (undo) return await goBack(container, flags, io);
  if (keep) return await giveUpWayBack(container, flags, io);
  if (cancel) return await stop(container, flags, io);
  const target = versionOf(to ?? "");
  if (flags.dryRun) return await look(container, target, flags, io);
  await upgrade(container, to ?? "", target, flags, io);
}

/** The names of all releases that the contract has a number for. */
function releases(): string[] {
  return Object.keys(Version)
    .filter((key) => key.startsWith("DEBIAN_"))
    .map((key) => key.slice("DEBIAN_".length).toLowerCase());
}

function versionOf(release: string): Version {
  if (releases().includes(release)) return Version[`DEBIAN_${release.toUpperCase()}` as keyof typeof Version];
  throw new TremplinError("invalid", `"${release}" is not a release known here: ${releases().join(", ")}`);
}

async function upgrade(container: string, to: string, targetVersion: Version, flags: Flags, io: Io) {
  const title = `upgrading ${container} to ${to}`;
  const outcome = await withSession(title, flags, io, (session) => {
    const ask = (api: HostApi, settings: CallSettings) =>
      askToUpgrade(api, container, targetVersion, settings);
    const read = upgradeReader((sentence) => session.progress.say(sentence));
    return runOperation(session, { title, kind: "upgrade", container, ask, read });
  });
  reportResult(container, outcome, flags, io);
}

async function askToUpgrade(
  api: HostApi,
  containerName: string,
  targetVersion: Version,
  settings: CallSettings,
): Promise<Answer> {
  const request = { containerName, targetVersion };
  const { status, failureReason } = await api.call(Tremplin.method.upgradeContainer, request, settings);
  if (status === Status.STARTED) return { kind: "accepted" };
  if (status === Status.ALREADY_UPGRADED) return { kind: "already", words: plainText(failureReason) };
  return { kind: "refused", reason: failureReason };
}

async function look(containerName: string, targetVersion: Version, flags: Flags, io: Io): Promise<void> {
  const title = `looking whether ${containerName} can be upgraded`;
  await withSession(title, flags, io, async ({ api, progress, json }) => {
    const request = { containerName, targetVersion };
    const answers = api.stream(Guest.method.checkUpgrade, request, { signal: io.interrupted });
    for await (const answer of answers) {
      if (json) io.out(`${JSON.stringify({ check: toJson(CheckUpgradeProgressSchema, answer) })}\n`);
      if (!answer.done) progress.step(plainText(answer.message));
      if (!json) io.out(answer.notes.map((note) => `${plainText(note)}\n`).join(""));
      checkProblems(containerName, answer.problems);
    }
  });
  if (!flags.json) io.out(`${containerName}: can be upgraded; nothing was changed\n`);
}

function checkProblems(container: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const words = problems.map(plainText).join("; ");
  throw new TremplinError("failed", `${container} cannot be upgraded yet: ${words}`);
}

async function goBack(container: string, flags: Flags, io: Io): Promise<void> {
  if (!flags.yes) await confirm(container, io);
  const ask = (api: HostApi, settings: CallSettings) =>
    askAboutWayBack(() => api.call(Guest.method.undoUpgrade, { containerName: container }, settings));
  await runWork({ title: `taking ${container} back`, kind: "upgrade", container, ask }, flags, io);
}

async function giveUpWayBack(container: string, flags: Flags, io: Io): Promise<void> {
  const ask = (api: HostApi, settings: CallSettings) =>
    askAboutWayBack(() => api.call(Guest.method.keepUpgrade, { containerName: container }, settings));
  await runWork({ title: `keeping ${container} as it is`, kind: "upgrade", container, ask }, flags, io);
}

async function askAboutWayBack(
  call: () => Promise<{ readonly status: Way; readonly failureReason: string }>,
): Promise<Answer> {
  const { status, failureReason } = await call();
  return status === Way.STARTED ? { kind: "accepted" } : { kind: "refused", reason: failureReason };
}

async function confirm(container: string, io: Io): Promise<void> {
  const question = `Take ${container} back? What was done in it since its upgrade is lost. [y/N] `;
  const answer = await io.ask(question);
  if (answer === undefined) {
    throw new TremplinError("invalid", `to take ${container} back with nobody at a terminal, say --yes`);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new TremplinError("failed", `${container} was left as it is`);
}

async function stop(containerName: string, flags: Flags, io: Io): Promise<void> {
  const title = `stopping the upgrade of ${containerName}`;
  const words = await withSession(title, flags, io, async ({ api }) => {
    const { status, failureReason } = await api.call(
      Tremplin.method.cancelUpgradeContainer,
      { containerName },
      { signal: io.interrupted, timeout: 60_000 },
    );
    if (status === Cancelled.CANCELLED) return "the upgrade was cancelled, and it is put back";
    if (status === Cancelled.NOT_RUNNING) return "no upgrade is under way";
    throw await refusal(api, title, containerName, failureReason, true);
  });
  reportResult(containerName, { words }, flags, io);
}
