import { TremplinError } from "../../base/tremplin-error.ts";
import { DOMAIN } from "./ssh-config-text.ts";

/**
 * Runs the ssh server of a container for one connection, on standard input and output: it listens nowhere, and the
 * container's own server need not run. PAM asks three times for the address of a caller without one, called UNKNOWN, which
 * takes long where no name server answers. It accepts the key in the arguments beside those of the account, and its host
 * keys come first, by the way on which commands are run in the container. A constant: what comes from a person is an
 * argument, and never part of the text.
 */
const SCRIPT = `
key=$1
user=$2
fail() { echo "$1" >&2; exit 69; }
for sshd in /usr/sbin/sshd /usr/local/sbin/sshd /usr/lib/ssh/sshd /run/current-system/sw/bin/sshd; do
  [ ! -x $sshd ] || break
done
[ -x $sshd ] || fail no-server
[ -z "$user" ] || id -- "$user" >/dev/null 2>&1 || fail no-account
mkdir -p -m 755 /run/sshd
ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1 || ssh-keygen -A >/dev/null || exit 1
$sshd -t || exit 1
for file in $($sshd -T | sed -n 's/^hostkey //p'); do
  if [ -s "$file.pub" ]; then cat "$file.pub"; else ssh-keygen -y -f "$file"; fi
done
echo tremplin-ready
for echo in /usr/bin/echo /bin/echo; do [ ! -x $echo ] || break; done
export RES_OPTIONS="no-tld-query timeout:1 attempts:1"
exec $sshd -i -o "AuthorizedKeysCommand=$echo $key" -o AuthorizedKeysCommandUser=root -o PubkeyAuthentication=yes
`;

const READY = "tremplin-ready\n";
/** Far more than all host keys of a server. */
const MAX_PREAMBLE = 64 * 1024;
const KEY = /^(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w.@-]{1,64} [A-Za-z0-9+/]{16,8192}={0,3}$/;

export function serverCommand(publicKey: string, user: string): string[] {
  const key = keyOf(publicKey);
  if (key === undefined) {
    throw new TremplinError(
      "failed",
      "the key for containers is damaged; tremplin ssh-config --install makes another once it is deleted",
    );
  }
  return ["/bin/sh", "-c", SCRIPT, "tremplin-ssh", key, user];
}

/** Type and value of a public key, without its comment; undefined for anything else. */
function keyOf(line: string): string | undefined {
  const key = line.trim().split(/\s+/).slice(0, 2).join(" ");
  return KEY.test(key) ? key : undefined;
}

/** What the server says before ssh: its host keys, then bytes for ssh. Undefined while it is not complete. */
export function splitPreamble(bytes: Buffer): { hostKeys: string[]; rest: Buffer } | undefined {
  const end = bytes.indexOf(READY);
  const length = end < 0 ? bytes.length : end;
  if (length > MAX_PREAMBLE)
    throw new TremplinError("failed", "the container sends something else than its host keys");
  if (end < 0) return undefined;
  const lines = bytes.subarray(0, end).toString("latin1").split("\n");
  const hostKeys = lines.map(keyOf).filter((key) => key !== undefined);
  return { hostKeys, rest: bytes.subarray(end + READY.length) };
}

/** The known hosts with other keys of one of them. */
export function withHostKeys(text: string, host: string, keys: readonly string[]): string {
  const others = text.split("\n").filter((line) => line !== "" && line.split(" ")[0] !== host);
  return [...others, ...keys.map((key) => `${host} ${key}`)].map((line) => `${line}\n`).join("");
}

/** The sentence for a container in which no server can run. */
export function serverError(container: string, user: string, errors: string): TremplinError {
  if (errors.includes("no-server")) {
    const install = `tremplin exec --user root ${container} -- sh -c 'apt-get update && apt-get install -y openssh-server'`;
    return new TremplinError(
      "failed",
      `${container} has no ssh server: ${install}; nothing need listen there`,
    );
  }
  if (errors.includes("no-account")) {
    return new TremplinError(
      "failed",
      `${container} has no account ${user}: tremplin user ${container} prints the one that it has; ssh ACCOUNT@${container}${DOMAIN}, or tremplin ssh-config --install again, which writes it down`,
    );
  }
  return new TremplinError(
    "failed",
    `the ssh server of ${container} did not start: ${errors || "it said nothing"}`,
  );
}
