import type { FileSession } from "../../engine/files/file-session.ts";
import { ifInaccessible, isProgram } from "./container-files.ts";
import { decodeLatin1, trimAscii } from "./lossless-text.ts";

/** A person in a container, as sudo, doas and su look at one. */
export interface Person {
  readonly name: string;
  /** The names of all groups, the primary one too. */
  readonly groups: readonly string[];
  /** Whether a password opens the account. */
  readonly hasPassword: boolean;
}

/** What a rule asks for: nothing, or the person's password. Undefined: there is no rule for the person. */
type Rule = "free" | "password" | undefined;

const PROGRAM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin"];
const MAX_BYTES = 256 * 1024;
const MAX_FILES = 200;

/**
 * Why a person cannot become root inside a container, as a sentence; undefined if there is a way. Knows sudo, doas,
 * and su with root's password. Where that is not clear, it assumes a way.
 */
export async function findNoRootAccess(
  files: FileSession,
  person: Person,
  rootHasPassword: boolean,
): Promise<string | undefined> {
  const has = (program: string) => isProgramIn(files, program);
  if (rootHasPassword && (await has("su"))) return undefined;
  const reasons: string[] = [];
  for (const [program, readRule] of [
    ["sudo", sudoRule],
    ["doas", doasRule],
  ] as const) {
    if (!(await has(program))) continue;
    const rule = await readRule(files, person);
    if (rule === "free" || (rule === "password" && person.hasPassword)) return undefined;
    reasons.push(
      rule === undefined
        ? `${program} has no rule for that user or one of its groups`
        : `${program} asks for the user's password, and there is none`,
    );
  }
  const why = reasons.join("; ") || "the container has neither sudo nor doas, and root has no password";
  return `the primary user cannot become root inside: ${why} (tremplin shell --user root NAME opens a root shell)`;
}

async function isProgramIn(files: FileSession, program: string): Promise<boolean> {
  for (const folder of PROGRAM_FOLDERS) if (await isProgram(files, `${folder}/${program}`)) return true;
  return false;
}

async function sudoRule(files: FileSession, person: Person): Promise<Rule> {
  const isRules = (name: string) => !name.includes(".") && !name.endsWith("~");
  const texts = await readAll(files, ["/etc/sudoers", "/usr/etc/sudoers"], "/etc/sudoers.d", isRules);
  return findSudoRule(texts.join("\n"), person);
}

async function doasRule(files: FileSession, person: Person): Promise<Rule> {
  const isRules = (name: string) => name.endsWith(".conf");
  return findDoasRule((await readAll(files, ["/etc/doas.conf"], "/etc/doas.d", isRules)).join("\n"), person);
}

/** The last rule of sudoers(5) for a person counts. */
export function findSudoRule(text: string, person: Person): Rule {
  let rule: Rule;
  let isFree = false;
  for (const line of text.replace(/\\\r?\n/g, " ").split("\n")) {
    const content = trimAscii(line.replace(/#(?!\d).*/, ""));
    if (content.startsWith("Defaults")) isFree ||= content.includes("!authenticate");
    else if (subjectsOf(content).some((subject) => mayBe(subject, person))) {
      rule = content.includes("NOPASSWD") ? "free" : "password";
    }
  }
  return rule && isFree ? "free" : rule;
}

/** The users of a rule: `anna, %sudo ALL = (ALL) ALL`. None if the line is no rule. */
function subjectsOf(line: string): string[] {
  const words = (line.includes("=") ? line.slice(0, line.indexOf("=")) : "").split(/\s+/);
  if (words.at(-1) === "") words.pop();
  // The last word is the host.
  return words
    .slice(0, -1)
    .join(" ")
    .split(/[\s,]+/);
}

/** Whether a subject is the person; also if that is not known, because it is an alias or a number. */
function mayBe(subject: string, { name, groups }: Person): boolean {
  if (subject === name || /^([A-Z][A-Z0-9_]+|#\d+)$/.test(subject)) return true;
  return subject.startsWith("%") && groups.includes(subject.slice(1));
}

/** The last rule of doas.conf(5) for a person counts. */
export function findDoasRule(text: string, { name, groups }: Person): Rule {
  let rule: Rule;
  for (const line of text.split("\n")) {
    const [action, ...words] = trimAscii(line.replace(/#.*/, "")).split(/\s+/);
    const end = words.findIndex((word) => word === "as" || word === "cmd");
    const identity = (end < 0 ? words : words.slice(0, end)).at(-1) ?? "";
    const isSubject = identity === name || (identity.startsWith(":") && groups.includes(identity.slice(1)));
    if (!isSubject || (action !== "permit" && action !== "deny")) continue;
    if (action === "deny") rule = undefined;
    else rule = words.includes("nopass") ? "free" : "password";
  }
  return rule;
}

/** The texts of these files and of those in the folder; nothing for what cannot be read. */
async function readAll(
  files: FileSession,
  paths: readonly string[],
  folder: string,
  isRules: (name: string) => boolean,
): Promise<string[]> {
  const entries = (await files.list(folder, MAX_FILES).catch(ifInaccessible)) ?? [];
  const names = entries.map(({ name }) => name).filter(isRules);
  const texts: string[] = [];
  for (const path of [...paths, ...names.sort().map((name) => `${folder}/${name}`)]) {
    const content = await files.read(path, MAX_BYTES).catch(ifInaccessible);
    if (content) texts.push(decodeLatin1(content));
  }
  return texts;
}
