import { isPrivatePlace, type Resolve } from "../daemon/mirrors/private-place.ts";

/**
 * Leaves out the lines of apt's settings that do not hold in the machine: proxies with passwords, proxies that only this
 * computer can reach, and programs of this computer that find a proxy.
 */
export async function aptSettingsInside(settings: string, resolve?: Resolve): Promise<string> {
  const lines = settings.split("\n");
  const isPrivate = await Promise.all(
    lines.map(async (line) => {
      if (/::Proxy-?Auto-?Detect /i.test(line)) return true;
      const uri = /::Proxy(?:::\S+)? "([a-z0-9]+:\/\/[^"]+)"/i.exec(line)?.[1];
      return uri !== undefined && (await isPrivatePlace(uri.replace(/^[a-z0-9]+:/i, "http:"), resolve));
    }),
  );
  return lines.filter((_, index) => !isPrivate[index]).join("\n");
}
