import { withoutCredentials } from "../../base/without-credentials.ts";
import { type PlainRequest, withoutPassword } from "./apt-credentials.ts";
import type { AptSystem } from "./apt-system.ts";
import { parseReleaseFile, type ReleaseFile, releaseLines } from "./release-file.ts";

/** The answer of a place. */
export type Answer =
  | { readonly is: "release"; readonly release: ReleaseFile }
  /** The server responds, and has no such repository. */
  | { readonly is: "missing" }
  | { readonly is: "silent"; readonly reason: string };

/** For all places together. */
const TIME_LIMIT_S = 20;
/** For a connection, and for each pause in it. */
const CONNECTION_TIMEOUT_S = 8;
/** As apt's own limit for Release files. */
const MAX_FILE_BYTES = 10_000_000;
const MAX_PLACES = 100;
/** For one URI that has several. */
const MAX_PASSWORDS = 3;
const MAX_REASON_LENGTH = 200;

const NO_LONGER_ASKED: Answer = { is: "silent", reason: "too many apt sources to ask them all" };
const NOT_PLAIN: Answer = { is: "silent", reason: "its address is not plain" };

/**
 * Reads the Release files of repositories (`http://deb.debian.org/debian/dists/trixie`) with the system's apt, all at
 * once. Apt follows at most ten redirects, as it does for packages; time and size are limited. Never throws because
 * of a place.
 */
export async function askReleaseFiles(
  system: AptSystem,
  places: readonly string[],
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  const unique = [...new Set(places)];
  const plain = unique.filter((place) => /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(place));
  for (const place of unique) answers.set(place, NOT_PLAIN);
  for (const place of plain.slice(MAX_PLACES)) answers.set(place, NO_LONGER_ASKED);
  let asked = plain.slice(0, MAX_PLACES);
  // Old repositories only have the second one.
  for (const name of ["InRelease", "Release"]) {
    const files = await downloadReleaseFiles(
      system,
      asked.map((place) => `${place}/${name}`),
    );
    for (const [index, answer] of files.entries()) answers.set(asked[index] as string, answer);
    asked = asked.filter((_, index) => files[index]?.is === "missing");
    if (asked.length === 0) break;
  }
  return answers;
}

/** Downloads a text file, such as a list of mirrors. Undefined if there is none. */
export async function downloadText(system: AptSystem, uri: string): Promise<string | undefined> {
  if (!/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(uri)) return undefined;
  await download(system, [uri]);
  const text = await system.readFile(`${system.folder}/0`);
  await system.run(["rm", "-rf", "--", system.folder]);
  return text;
}

async function downloadReleaseFiles(system: AptSystem, uris: readonly string[]): Promise<Answer[]> {
  if (uris.length === 0) return [];
  const failures = await download(system, uris);
  const paths = uris.map((_, index) => `${system.folder}/${index}`);
  const found = await system.run(["grep", "-a", "-H", "-m", "8", "-E", releaseLines, "--", ...paths]);
  await system.run(["rm", "-rf", "--", system.folder]);
  const lines = found.split("\n");
  return uris.map((_, index) => {
    const head = `${paths[index]}:`;
    const own = lines.filter((line) => line.startsWith(head)).map((line) => line.slice(head.length));
    const release = parseReleaseFile(own);
    return release ? { is: "release", release } : answerOfFailure(failures.get(index));
  });
}

/** A URI to be asked; `index` is its number among all. */
interface NumberedRequest extends PlainRequest {
  readonly index: number;
}

/**
 * Downloads files into the folder, numbered in the order of the URIs. Returns apt's reasons for those that did not come.
 * Passwords are not in the arguments of a program, which every user of the system can see.
 */
async function download(system: AptSystem, uris: readonly string[]): Promise<ReadonlyMap<number, string>> {
  const reasons = new Map<number, string>();
  await system.run(["rm", "-rf", "--", system.folder]);
  // Says that it made the folder.
  if ((await system.run(["mkdir", "-v", "-m", "700", "--", system.folder])) === "") return reasons;
  const requests: NumberedRequest[] = [];
  for (const [index, uri] of uris.entries()) {
    const request = withoutPassword(uri);
    if (request) requests.push({ ...request, index });
    else reasons.set(index, "apt cannot be given its password");
  }
  const groups = [...groupRequests(requests)].filter(([passwords]) => passwords <= MAX_PASSWORDS);
  const fetch = async ([number, group]: (typeof groups)[number]): Promise<void> => {
    const failures = await downloadGroup(system, group, `${system.folder}/passwords-${number}`);
    for (const { uri, index } of group) {
      const reason = failures.get(uri);
      if (reason !== undefined) reasons.set(index, reason);
    }
  };
  await Promise.all(groups.map(fetch));
  return reasons;
}

/** Those without passwords (0), and others such that none has the same URI twice. */
function groupRequests(requests: readonly NumberedRequest[]): ReadonlyMap<number, NumberedRequest[]> {
  const passwords = new Map<string, number>();
  return Map.groupBy(requests, ({ uri, netrc }) => {
    if (!netrc) return 0;
    const count = (passwords.get(uri) ?? 0) + 1;
    passwords.set(uri, count);
    return count;
  });
}

async function downloadGroup(
  system: AptSystem,
  group: readonly NumberedRequest[],
  netrc: string,
): Promise<ReadonlyMap<string, string>> {
  const secrets = group.flatMap((request) => request.netrc ?? []);
  if (secrets.length > 0) await system.writeSecret(netrc, Buffer.concat(secrets));
  const settings = [
    "Acquire::Retries=0",
    ...["http", "https", "ftp"].map((scheme) => `Acquire::${scheme}::Timeout=${CONNECTION_TIMEOUT_S}`),
    ...(system.settings ?? []),
    ...(secrets.length > 0 ? [`Dir::Etc::netrc=${netrc}`] : []),
  ];
  const output = await system.run([
    ...["env", "LC_ALL=C", "timeout", `${TIME_LIMIT_S}`, "prlimit", `--fsize=${MAX_FILE_BYTES}`, "--"],
    "/usr/lib/apt/apt-helper",
    ...settings.flatMap((setting) => ["-o", setting]),
    // The empty word stands for an unknown checksum.
    ...["download-file", ...group.flatMap(({ uri, index }) => [uri, `${system.folder}/${index}`, ""])],
  ]);
  return parseFailures(output);
}

/** Apt's reasons by URI: a line `Err:1 URI`, and the reason in the next one. */
export function parseFailures(output: string): ReadonlyMap<string, string> {
  const failures = new Map<string, string>();
  let failed: string | undefined;
  for (const line of output.split("\n")) {
    if (failed !== undefined && /^ {2}/.test(line)) failures.set(failed, line.trim());
    failed = /^(?:Err|Ign):\d+ (\S+)/.exec(line)?.[1];
  }
  return failures;
}

function answerOfFailure(reason: string | undefined): Answer {
  if (reason === undefined) return { is: "silent", reason: "no Release file came from it" };
  if (/^(404|410) |^File not found/.test(reason)) return { is: "missing" };
  const text = withoutCredentials(reason).replace(/[^\x20-\x7e]/g, " ");
  return { is: "silent", reason: text.slice(0, MAX_REASON_LENGTH) };
}
