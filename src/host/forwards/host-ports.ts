/** Ports of this machine below this need a privilege. */
const FIRST = 1024;
const LAST = 65535;
/** A machine on which that many ports in a row are in use has none to give. */
const TRIES = 512;

/** The ports of this machine to try for a port of a container: the same number, then the next ones. */
export function* hostPorts(port: number): Generator<number, void, void> {
  for (let tries = 0; tries < TRIES; tries++) {
    yield FIRST + ((port - FIRST + tries) % (LAST - FIRST + 1));
  }
}
