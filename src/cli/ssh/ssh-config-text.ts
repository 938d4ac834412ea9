/** The end of the names under which ssh knows containers. */
export const DOMAIN = ".tremplin";

const COMMENT =
  "# Added by tremplin ssh-config --install, for ssh NAME.tremplin. Delete the next line to take it back.";

export interface SshConfig {
  readonly files: { readonly key: string; readonly knownHosts: string };
  /** The words that connect to a container; its name and the account follow. */
  readonly proxy: readonly string[];
  /** The containers with their primary users. */
  readonly users: ReadonlyMap<string, string>;
}

/** What ssh reads: a block for each container whose account is known, for lists of hosts too, and one for all. */
export function configText({ files, proxy, users }: SshConfig): string {
  const blocks = [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, user]) => /^[\w.@-]+\$?$/.test(user));
  const lines = [
    "# Written by tremplin ssh-config --install, and written again by the next one.",
    ...blocks.flatMap(([name, user]) => ["", `Host ${name}${DOMAIN}`, `  User ${user}`]),
    "",
    `Host *${DOMAIN}`,
    `  ProxyCommand ${proxy.map(shellWord).join(" ")} %h %r`,
    `  IdentityFile ${word(files.key)}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${word(files.knownHosts)}`,
    "  StrictHostKeyChecking yes",
    "  UpdateHostKeys no",
  ];
  return `${lines.join("\n")}\n`;
}

/** The accounts that such a text has. */
export function usersIn(text: string): Map<string, string> {
  const blocks = text.matchAll(/^Host ([^\s*]+)\.tremplin\n {2}User (\S+)$/gm);
  return new Map([...blocks].map(([, name = "", user = ""]) => [name, user]));
}

/** The line by which ssh reads our file; with ~ where that is in the home. */
export function includeLine(home: string, config: string): string {
  const short = config.startsWith(`${home}/`) ? `~${config.slice(home.length)}` : config;
  return `Include ${word(short)}`;
}

/** The text with our line first, since a line after `Host` counts for that host only; undefined if the line is there. */
export function withInclude(text: string, line: string): string | undefined {
  const bytes = Buffer.from(line).toString("latin1");
  if (text.split(/\r?\n/).some((each) => each.trim() === bytes)) return undefined;
  return `${COMMENT}\n${bytes}\n${text === "" ? "" : "\n"}${text}`;
}

/** A word of ssh_config(5), in which % begins a token. */
function word(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /[\s"#]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}

/** A word for the shell that runs ProxyCommand. */
function shellWord(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", `'\\''`)}'`;
}
