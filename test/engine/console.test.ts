import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import type { Page } from "playwright-core";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { dial } from "../../src/transport/client.ts";
import { launchBrowser } from "../support/console-browser.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { shareDebianImage } from "../support/debian-container.ts";
import { eventually } from "../support/eventually.ts";
import { hostOf } from "../support/host-of.ts";
import { inContainer } from "../support/in-container.ts";
import { addressesOnBridge } from "../support/name-on-bridge.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../support/tiny-container.ts";

test("the whole life of a Debian container in the console", async () => {
  await using daemon = await startDaemon();
  await launch(daemon);
  await shareDebianImage(daemon, "bookworm");
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  await using host = await hostOf(daemon, { console: { address, files: "dist/console", isOptional: false } });
  daemon.listener.answering = (notice) => host.forward(notice);
  using connection = dial(host.address);
  const { signInUrl } = await createClient(Host, connection.transport).createConsoleToken({});
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  page.setDefaultTimeout(90_000);

  await page.goto(signInUrl);
  await page.getByRole("button", { name: "New container" }).click();
  await page.getByLabel("Name").fill("penguin");
  await page.getByLabel("System").selectOption("bookworm");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "Start penguin" }).click();
  await page.getByRole("button", { name: "Stop penguin" }).waitFor();
  assert.equal(await inContainer(daemon, "penguin", "hostname"), "penguin");

  await eventually("the name of the container", async () => {
    const [found] = await addressesOnBridge(daemon, "penguin.tremplin");
    return found?.startsWith(daemon.addressPrefix) || undefined;
  });

  await page.getByRole("link", { name: "penguin" }).click();
  await page.getByLabel("User name").fill("ada");
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByText("The primary user of penguin is ada.").waitFor();
  assert.match(await inContainer(daemon, "penguin", "id", "-un", "1000"), /ada/);
  await useTerminal(page);
  // The second measurement gives the first rate.
  await page.getByText(/^\d+ %$/).waitFor();
  await page.getByText(/^[\d.]+ MiB$/).waitFor();

  await page.getByRole("button", { name: "Take a snapshot" }).click();
  await page.getByText("snap0", { exact: true }).waitFor();
  await page.getByLabel("Memory").fill("300MiB");
  await page.locator('button[aria-disabled="false"]', { hasText: "Save" }).click();
  await page.getByText("The settings of penguin are changed.").waitFor();
  await page.getByText(/of 300 MiB$/).waitFor();
  await page.getByRole("link", { name: "Its log" }).click();
  await page.getByRole("region", { name: "Log of penguin" }).getByText("systemd").first().waitFor();
  await page.getByRole("link", { name: "penguin" }).click();

  await page.getByRole("button", { name: "Back up" }).click();
  await page.getByText(/^Exported, /).waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.locator("h1 + .badge", { hasText: "stopped" }).waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete penguin" }).click();
  await page.getByRole("heading", { name: "There is no container penguin on vm" }).waitFor();
  await page.getByText("Deleted.").waitFor();
  await page.getByRole("link", { name: "Guests" }).click();
  await page.getByRole("link", { name: "vm" }).click();
  await page.getByText(/^running: lxd /).waitFor();
  await page.getByRole("link", { name: "Debug information" }).click();
  await page.getByRole("heading", { name: "engine", exact: true }).waitFor();
  await bringBack(daemon, page);
});

/** A container goes to this computer, is deleted, and comes back from there. */
async function bringBack(daemon: TestDaemon, page: Page): Promise<void> {
  await shareTinyImage(daemon);
  await createTiny(daemon, "tiny");
  await startContainer(daemon, "tiny");
  await inContainer(daemon, "tiny", "sh", "-c", "echo mine > /root/file");
  await page.getByRole("link", { name: "Containers", exact: true }).click();
  await page.getByRole("link", { name: "tiny", exact: true }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download", exact: true }).click();
  const file = await (await saved).path();
  await page.getByText("was sent to your browser").waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete tiny" }).click();
  await page.getByRole("heading", { name: "There is no container tiny on vm" }).waitFor();
  await page.getByRole("link", { name: "Containers", exact: true }).click();
  await page.getByRole("button", { name: "Import a backup" }).click();
  await page.getByLabel("Backup").setInputFiles(file);
  await page.getByLabel("Name").fill("tiny");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText(/^tiny was made from /).waitFor();
  await startContainer(daemon, "tiny");
  assert.equal(await inContainer(daemon, "tiny", "cat", "/root/file"), "mine");
  assert.deepEqual(await readdir(join(daemon.shared, "transfers")), []);
}

/** A login shell of the primary user, which learns the size of its terminal, and ends with a code. */
async function useTerminal(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Terminal" }).click();
  const screen = page.locator(".xterm-rows");
  await screen.filter({ hasText: "ada@penguin" }).waitFor();
  const sizeOf = async (word: string): Promise<[rows: number, columns: number]> => {
    await page.keyboard.type(`echo "${word}": $(stty size)\n`);
    const printed = new RegExp(`${word}: (\\d+) (\\d+)`);
    await screen.filter({ hasText: printed }).waitFor();
    const [, rows, columns] = printed.exec(`${await screen.textContent()}`) ?? [];
    return [Number(rows), Number(columns)];
  };
  const [rows, columns] = await sizeOf("one");
  await page.setViewportSize({ width: 640, height: 1_000 });
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  await eventually("the program knows", async () => {
    const [taller, narrower] = await sizeOf(`at${Math.random()}`.replace(".", ""));
    return (taller > rows && narrower < columns) || undefined;
  });
  await page.keyboard.type("exit 3\n");
  await page.getByText("The shell ended with exit code 3.").waitFor();
  await page.getByRole("link", { name: "penguin" }).click();
}
