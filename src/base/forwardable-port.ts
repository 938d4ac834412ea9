/** Whether others may connect to a port of a container: one of a program that people start, not of the system (docs/ports.md). */
export function isForwardable(port: number): boolean {
  return Number.isInteger(port) && port >= 1024 && port <= 65535 && port !== 2222 && port !== 5355;
}
