/** Other names that images and people use, in lower case, by the engines' names. */
const ALIASES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  generic_64: "x86_64",
  x64: "x86_64",
  arm64: "aarch64",
  armv8: "aarch64",
  "386": "i686",
  i386: "i686",
  i486: "i686",
  i586: "i686",
  x86: "i686",
  x86_32: "i686",
  generic_32: "i686",
  arm: "armv7l",
  armel: "armv7l",
  armhf: "armv7l",
  armhfp: "armv7l",
  armv7: "armv7l",
  powerpc: "ppc",
  powerpc64: "ppc64",
  ppc64el: "ppc64le",
  powerpc64le: "ppc64le",
};

/** The engines' name of the architecture in an image's metadata. */
export function engineArchitecture(name: string): string {
  const plain = name.trim().toLowerCase().replaceAll("-", "_");
  return ALIASES[plain] ?? plain;
}
