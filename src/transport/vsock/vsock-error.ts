import { TremplinError } from "../../base/tremplin-error.ts";

/** What to do about an error of the kernel, by its name. */
const advice: Readonly<Record<string, string>> = {
  EAFNOSUPPORT:
    "this kernel has no vsock; load it (modprobe vmw_vsock_virtio_transport in a guest, modprobe vhost_vsock on a host)",
  EADDRINUSE: "another program listens there already",
  EADDRNOTAVAIL: "this machine does not have that context id; use vsock:any:PORT",
  EACCES: "ports below 1024 are for root alone",
  ECONNRESET: "nobody listens there",
  EHOSTUNREACH: "there is no running machine with that context id",
  ENODEV:
    "the kernel knows no way to it; load the module of this side (modprobe vmw_vsock_virtio_transport in a guest, modprobe vhost_vsock on a host)",
  ETIMEDOUT: "it does not answer",
};

/** Errors that may go away: a peer may start later. */
const transient = new Set(["ECONNRESET", "EHOSTUNREACH", "ENODEV", "ETIMEDOUT"]);

/** The error for a failed call of the kernel. `name` is that of the error number, such as ECONNRESET. */
export function vsockError(what: string, call: string, name: string): TremplinError {
  const why = advice[name] ?? "see the kernel's log";
  return new TremplinError(
    transient.has(name) ? "unavailable" : "failed",
    `${what}: ${call} says ${name}: ${why}`,
  );
}
