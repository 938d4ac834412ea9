import type { AptSystem } from "../../src/daemon/mirrors/apt-system.ts";

/** What a server says about a place: a Release file, nothing ("404"), or not even that (another reason of apt). */
export type FakeAnswer = Readonly<Record<string, string>> | string;

export interface FakeApt extends AptSystem {
  /** All URIs that were asked for. */
  readonly asked: string[];
}

/** Debian's Release file of a suite. */
export function debianRelease(codename: string, label = "Debian"): FakeAnswer {
  return { Origin: "Debian", Label: label, Suite: "oldstable", Codename: codename };
}

/** The Release file of another vendor, which uses Debian's names. */
export function vendorRelease(origin: string, codename: string): FakeAnswer {
  return { Origin: origin, Label: origin, Suite: "stable", Codename: codename };
}

/**
 * An apt that knows the answers of some places (`http://host/debian/dists/trixie`), reached by `InRelease`; others have
 * no such name. `files` are texts by path or URI, `read` is what it has read before.
 */
export function fakeApt(
  answers: Readonly<Record<string, FakeAnswer>>,
  { files = {}, read = "" }: { files?: Readonly<Record<string, string>>; read?: string } = {},
): FakeApt {
  const asked: string[] = [];
  const there = new Map<string, FakeAnswer>();
  const secrets = new Map<string, string>();
  const folder = "/work/release-files";

  /** With the password that apt's settings name a file for. */
  function withPassword(uri: string, words: readonly string[]): string {
    const netrc = words.find((word) => word.startsWith("Dir::Etc::netrc=/work/"))?.split("=")[1] ?? "";
    const line = secrets
      .get(netrc)
      ?.split("\n")
      .find((each) => each.startsWith(`machine ${uri} `));
    const [, , , login, , password] = line?.split(" ") ?? [];
    return line ? uri.replace("//", `//${login}:${password}@`) : uri;
  }

  function download(words: readonly string[]): string {
    const failures: string[] = [];
    for (let at = words.indexOf("download-file") + 1; at < words.length; at += 3) {
      const [plain = "", path = ""] = words.slice(at);
      const uri = withPassword(plain, words);
      asked.push(uri);
      const answer = uri.endsWith("/Release")
        ? "404"
        : (files[uri] ?? answers[uri.replace(/\/InRelease$/, "")] ?? "Could not resolve 'host'");
      if (typeof answer === "object" || uri in files) there.set(path, answer);
      else
        failures.push(
          `Err:${at} ${plain}\n  ${answer === "404" ? "404  Not Found [IP: 10.0.0.1 80]" : answer}\n`,
        );
    }
    return failures.join("");
  }

  function grep(paths: readonly string[]): string {
    return paths
      .flatMap((path) =>
        Object.entries(there.get(path) ?? {}).map(([name, value]) => `${path}:${name}: ${value}\n`),
      )
      .join("");
  }

  return {
    folder,
    asked,
    run(command) {
      if (command[0] === "rm") for (const held of [there, secrets]) held.clear();
      if (command[0] === "mkdir") return Promise.resolve("made");
      if (command.includes("download-file")) return Promise.resolve(download(command));
      if (command[0] === "grep") return Promise.resolve(grep(command.slice(command.indexOf("--") + 1)));
      return Promise.resolve(command.includes("indextargets") ? read : "");
    },
    writeSecret(path, content) {
      secrets.set(path, Buffer.from(content).toString("latin1"));
      return Promise.resolve();
    },
    readFile(path) {
      const found = files[path] ?? there.get(path);
      return Promise.resolve(typeof found === "string" ? found : undefined);
    },
  };
}
