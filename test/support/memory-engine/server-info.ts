import { type Route, reply } from "./rest.ts";

/** The engine itself: its name, version and abilities. */
export function serverRoutes(): Route[] {
  return [
    reply("GET", "/1.0", () => ({ metadata: serverInfo, version: serverInfo.config })),
    reply("GET", "/internal/ready", () => ({})),
  ];
}

const serverInfo = {
  config: {},
  api_extensions: ["instances", "container_exec_recording", "instance_all_projects"],
  api_version: "1.0",
  auth: "trusted",
  environment: {
    server: "lxd",
    server_version: "5.0.2",
    server_name: "memory",
    server_pid: process.pid,
    server_clustered: false,
    kernel_version: "6.1.0",
    architectures: ["x86_64", "i686"],
    storage_supported_drivers: [{ Name: "btrfs" }, { Name: "dir" }],
  },
};
