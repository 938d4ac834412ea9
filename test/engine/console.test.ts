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
import { hostOf } from "../support/host-of.ts";
import { inContainer } from "../support/in-container.ts";
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

  await page.getByRole("link", { name: "penguin" }).click();
  await page.getByLabel("User name").fill("ada");
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByText("The primary user of penguin is ada.").waitFor();
  assert.match(await inContainer(daemon, "penguin", "id", "-un", "1000"), /ada/);
  // The second measurement gives the first rate.
  await page.getByText(/^\d+ %$/).waitFor();
  await page.getByText(/^[\d.]+ MiB$/).waitFor();

  await page.getByRole("button", { name: "Back up" }).click();
  await page.getByText(/^Exported, /).waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.locator("h1 + .badge", { hasText: "stopped" }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete penguin" }).click();
  await page.getByRole("heading", { name: "There is no container penguin on vm" }).waitFor();
  await page.getByText("Deleted.").waitFor();
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
