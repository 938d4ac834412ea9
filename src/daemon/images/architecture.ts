import { TremplinError } from "../../base/tremplin-error.ts";

/** Debian's and the engines' names of a processor architecture. */
export interface Architecture {
  readonly debian: string;
  readonly engine: string;
}

const architectures: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: { debian: "amd64", engine: "x86_64" },
  arm64: { debian: "arm64", engine: "aarch64" },
};

/** The architecture of this machine. Throws `invalid` if it is not supported. */
export function machineArchitecture(): Architecture {
  const own = architectures[process.arch];
  if (own) return own;
  throw new TremplinError(
    "invalid",
    `Debian images can be built on x86_64 and aarch64, not on ${process.arch}`,
  );
}
