import { TremplinError } from "../../base/tremplin-error.ts";

/** What Debian and the engines call a kind of processor. */
export interface Architecture {
  readonly debian: string;
  readonly engine: string;
}

const architectures: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: { debian: "amd64", engine: "x86_64" },
  arm64: { debian: "arm64", engine: "aarch64" },
};

/** This machine's. Throws `invalid` where the project supports none. */
export function machineArchitecture(): Architecture {
  const own = architectures[process.arch];
  if (own) return own;
  throw new TremplinError(
    "invalid",
    `Debian images are made on x86_64 and aarch64 machines, not on ${process.arch}`,
  );
}

/** Other names of what engines run; whoever makes an image may write any of them. */
const ALIASES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  i386: "i686",
  i586: "i686",
  armhf: "armv7l",
};

/** What engines call the architecture that an image names. */
export function engineArchitecture(name: string): string {
  return ALIASES[name] ?? name;
}
