import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askReleaseFiles } from "./ask-release-files.ts";
import { machineApt } from "./machine-apt.ts";

/** With the real apt of this machine, and a server that answers each path in its own way. */
const release = "Origin: Debian\nLabel: Debian\nSuite: stable\nCodename: trixie\n";
const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release}`;
type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

const pages: Readonly<Record<string, Answer>> = {
  "/good/InRelease": (_, response) => response.end(signed),
  "/old/Release": (_, response) => response.end(release),
  "/login/InRelease": (_, response) => response.end("<html>Please log in</html>"),
  "/moved/InRelease": (_, response) => response.writeHead(302, { location: "/good/InRelease" }).end(),
  "/loop/InRelease": (_, response) => response.writeHead(302, { location: "/loop/InRelease" }).end(),
  "/broken/InRelease": (_, response) => response.writeHead(500).end(),
  "/hanging/InRelease": () => undefined,
  "/closed/InRelease": (_, response) => response.writeHead(401).end(),
  "/secret/InRelease"({ headers }, response) {
    const isKnown = headers.authorization === `Basic ${Buffer.from("ada:s3cret").toString("base64")}`;
    response.writeHead(isKnown ? 200 : 401).end(isKnown ? signed : "");
  },
  "/endless/InRelease"(_, response) {
    response.write(signed);
    const more = Buffer.alloc(1 << 20, " x\n");
    const write = () => response.write(more, (error) => (error ? undefined : write()));
    write();
  },
};
const server = createServer((request, response) => {
  const page = pages[request.url ?? ""];
  if (page) page(request, response);
  else response.writeHead(404).end();
});
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "apt-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const url = (path: string, credentials = "") =>
  `http://${credentials}127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

async function ask(...places: string[]) {
  const apt = machineApt(join(folder, "release-files"), new AbortController().signal);
  const settings = [...(apt.settings ?? []), "Acquire::http::Timeout=1", "Acquire::http::Proxy=DIRECT"];
  const answers = await askReleaseFiles({ ...apt, settings }, places);
  assert.deepEqual(await readdir(folder), []);
  return places.map((place) => {
    const answer = answers.get(place);
    if (answer?.is === "release") return `${answer.release.origin} ${answer.release.codename}`;
    return answer?.is === "silent" ? answer.reason : answer?.is;
  });
}

test("what places say of themselves is read, signed or not, also behind a redirect", async () => {
  const places = ["good", "old", "moved"].map((path) => url(path));
  assert.deepEqual(await ask(...places), ["Debian trixie", "Debian trixie", "Debian trixie"]);
});

test("a missing Release file is another answer than none", async () => {
  const [missing, ...silent] = await ask(...["nothing", "login", "loop", "broken"].map((path) => url(path)));
  assert.equal(missing, "missing");
  for (const reason of silent) assert.match(reason ?? "", /no Release file|[Rr]edirect|500/);
  const [refused] = await ask("http://127.0.0.1:9/debian");
  assert.match(refused ?? "", /Could not connect/);
});

test("a place that hangs is given up, and others answer all the same", async () => {
  const [hanging, good] = await ask(url("hanging"), url("good").replace("127.0.0.1", "localhost"));
  assert.match(hanging ?? "", /Connection failed|timed out/i);
  assert.equal(good, "Debian trixie");
});

test("a file without an end is cut off", async () => {
  assert.deepEqual(await ask(url("endless")), ["Debian trixie"]);
});

test("a password in the URI is used, and appears in no reason", async () => {
  assert.deepEqual(await ask(url("secret", "ada:s3cret@")), ["Debian trixie"]);
  const [reason] = await ask(url("closed", "ada:s3cret@"));
  assert.match(reason ?? "", /401/);
  assert.doesNotMatch(reason ?? "", /s3cret/);
});

test("passwords are in the arguments of no program, also several for one place, and none goes to another", async () => {
  const apt = machineApt(join(folder, "release-files"), new AbortController().signal);
  const words: string[] = [];
  const spied: typeof apt = {
    ...apt,
    settings: [...(apt.settings ?? []), "Acquire::http::Proxy=DIRECT"],
    run(command) {
      words.push(...command);
      return apt.run(command);
    },
  };
  const names = ["bob:other@", "ada:s3cret@", "ada:%73%33cret@", "", "ada:s3%20cret@"];
  const places = names.map((name) => url("secret", name));
  const answers = await askReleaseFiles(spied, places);
  const found = places.map((place) => answers.get(place)?.is);
  assert.deepEqual(found, ["silent", "release", "release", "silent", "silent"]);
  assert.doesNotMatch(words.join(" "), /s3|%73|ada|bob|other/);
});

test("a repository in a folder is read too", async () => {
  await writeFile(join(folder, "InRelease"), signed);
  try {
    const apt = machineApt(`${folder}-files`, new AbortController().signal);
    const answers = await askReleaseFiles(apt, [`file:${folder}`, "file:/nowhere"]);
    assert.equal(answers.get(`file:${folder}`)?.is, "release");
    assert.equal(answers.get("file:/nowhere")?.is, "missing");
  } finally {
    await rm(join(folder, "InRelease"));
  }
});

test("an end of the caller ends the questions", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(askReleaseFiles(machineApt(join(folder, "f"), signal), [url("good")]), /enough/);
});
