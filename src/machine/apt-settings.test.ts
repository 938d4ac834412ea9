import assert from "node:assert/strict";
import { test } from "node:test";
import { aptSettingsInside } from "./apt-settings.ts";

test("the machine gets no password of a proxy, and no proxy that only its host reaches", async () => {
  const kept = `Acquire::Retries "3";
Acquire::http::Proxy "http://proxy.example:3128/";
Acquire::http::Proxy::deb.example "DIRECT";
Acquire::ftp::Proxy "socks5h://proxy.example:1080";
Acquire::https::Verify-Peer "true";
`;
  const lost = `Acquire::http::Proxy "http://ada:s3cret@proxy.example:3128/";
Acquire::https::Proxy "http://127.0.0.1:3142";
Acquire::https::Proxy::deb.example "socks5h://localhost:9050";
Acquire::http::Proxy "http://proxy:3128/";
Acquire::http::Proxy-Auto-Detect "/usr/local/bin/find-proxy";
Acquire::http::ProxyAutoDetect "/usr/local/bin/find-proxy";
`;
  assert.equal(await aptSettingsInside(lost + kept, () => Promise.resolve([])), kept);
});
