import { spawn } from "node:child_process";
import { once } from "node:events";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** Opens a URL in the browser of this desktop, as the user who ran sudo. Throws `failed` where there is no desktop. */
export async function openBrowser(url: string, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { DISPLAY, WAYLAND_DISPLAY, SUDO_UID, SUDO_GID } = environment;
  if (!DISPLAY && !WAYLAND_DISPLAY) {
    throw new TremplinError("failed", "there is no desktop here: open the URL in a browser yourself");
  }
  const isSudo = process.getuid?.() === 0 && SUDO_UID && SUDO_GID;
  const user = isSudo ? { uid: Number(SUDO_UID), gid: Number(SUDO_GID) } : {};
  try {
    // It may run for as long as the browser does.
    const opener = spawn("xdg-open", [url], { ...user, env: environment, stdio: "ignore", detached: true });
    await once(opener, "spawn");
    opener.unref();
  } catch (error) {
    const reason = systemErrorText(error);
    throw new TremplinError(
      "failed",
      `cannot run xdg-open (${reason}): open the URL in a browser yourself`,
      error,
    );
  }
}
