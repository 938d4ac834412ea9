import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CachingProxy } from "./caching-proxy.ts";
import type { TestDaemon } from "./daemon.ts";
import { engineCommand } from "./in-container.ts";
import { keptFolder } from "./keeper.ts";
import { repository } from "./repository.ts";

const execute = promisify(execFile);

type Inside = (container: string, script: string) => Promise<string>;

/** Installs Debian's ssh server in a running container. Its packages are fetched once a machine. */
async function installSshServer(daemon: TestDaemon, container: string, inside: Inside): Promise<void> {
  const folder = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", "ssh-packages");
  const names = async () => (await readdir(folder)).filter((name) => name.endsWith(".deb"));
  await mkdir(folder, { recursive: true });
  if ((await names()).length === 0) await fetchPackages(daemon, container, inside, folder);
  const files = (await names()).map((name) => join(folder, name));
  await engineCommand(daemon, "file", "push", "--create-dirs", ...files, `${container}/root/debs/`);
  await inside(container, "DEBIAN_FRONTEND=noninteractive dpkg -i /root/debs/*.deb");
}

async function fetchPackages(daemon: TestDaemon, container: string, inside: Inside, folder: string) {
  const address = `${daemon.addressPrefix}1`;
  await using place = await keptFolder();
  await using proxy = await CachingProxy.open(place.path, { address, name: address });
  // Other tests took its apt-key away.
  const apt = `apt-get -q -o Acquire::http::Proxy=${proxy.url} -o Acquire::AllowInsecureRepositories=true`;
  const install = "install -y --no-install-recommends --allow-unauthenticated --download-only openssh-server";
  await inside(
    container,
    `${apt} update && ${apt} ${install} && cd /var/cache/apt/archives && tar -cf /root/debs.tar *.deb`,
  );
  const tar = join(place.path, "debs.tar");
  await engineCommand(daemon, "file", "pull", `${container}/root/debs.tar`, tar);
  await execute("tar", ["-xf", tar, "-C", folder]);
}

/** A person's folders with ssh set up by the built program: what a person types there. */
class SshSetup {
  readonly #home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #host: string;

  private constructor(home: string, host: string) {
    this.#home = home;
    this.#host = host;
    this.#env = { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, "config"), SUDO_UID: undefined };
  }

  /** The daemon serves all that the commands ask of a host. */
  static async open(daemon: TestDaemon): Promise<SshSetup> {
    const home = join(daemon.folder, "home of a person");
    await mkdir(join(home, ".ssh"), { recursive: true });
    await writeFile(join(home, ".ssh", "config"), "Host mine\n  User me");
    const setup = new SshSetup(home, `unix:${join(daemon.folder, "guest.sock")}`);
    await setup.#tremplin("ssh-config", "--install");
    return setup;
  }

  /** What a program of ssh prints. */
  async run(program: "ssh" | "scp", ...args: string[]): Promise<string> {
    const config = join(this.#home, ".ssh", "config");
    const options = { env: this.#env, timeout: 60_000 };
    const running = execute(program, ["-F", config, "-o", "BatchMode=yes", ...args], options);
    running.child.stdin?.end("typed");
    return (await running).stdout;
  }

  async check(): Promise<void> {
    const path = join(this.#home, ".ssh", "config");
    const before = await readFile(path, "utf8");
    assert.match(before, /^#.*\nInclude "?.*\/config\/tremplin\/ssh\/config"?\n\nHost mine\n {2}User me$/);
    await this.#tremplin("ssh-config", "--install");
    assert.equal(await readFile(path, "utf8"), before);
    assert.equal((await stat(join(this.#home, "config/tremplin/ssh/key"))).mode & 0o777, 0o600);
  }

  async #tremplin(...words: string[]): Promise<void> {
    await execute(join(repository, "bin/tremplin"), [...words, "--host", this.#host], { env: this.#env });
  }
}

/** A container of Debian whose person is ada: what ssh and scp do there, and what they say before there is a server. */
export async function checkSsh(daemon: TestDaemon, container: string, inside: Inside): Promise<void> {
  const host = `${container}.tremplin`;
  const ssh = await SshSetup.open(daemon);
  await ssh.check();
  await assert.rejects(ssh.run("ssh", host, "true"), /deb has no ssh server: .*apt-get install/);
  await installSshServer(daemon, container, inside);
  await inside(container, "systemctl disable --now ssh.service");
  assert.equal(await ssh.run("ssh", host, "id -un; cat"), "ada\ntyped");
  await ssh.run("scp", "/etc/services", `${host}:copied`);
  assert.equal(await inside(container, "cat /home/ada/copied"), await readFile("/etc/services", "utf8"));
  await assert.rejects(ssh.run("ssh", `eve@${host}`, "true"), /deb has no account eve/);
  await assert.rejects(ssh.run("ssh", "nosuch.tremplin", "true"), /there is no container nosuch/);
  await inside(container, "rm /etc/ssh/ssh_host_*; ssh-keygen -A");
  assert.equal(await ssh.run("ssh", `root@${host}`, "id -un"), "root\n");
  assert.doesNotMatch(await inside(container, "ss -ltn"), /:22 /);
}
