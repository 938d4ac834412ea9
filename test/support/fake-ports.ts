import type { PortSource, SocketCounts } from "../../src/daemon/watch/ports/port-source.ts";

/** A container's sockets that a test opens and closes. */
export class FakePorts implements PortSource {
  /** How often all ports were read. */
  reads = 0;
  disposed = false;
  /** Thrown by everything while it is set. */
  error: Error | undefined;
  /** False where control groups do not tell whether programs ran. */
  showsActivity = true;
  #listening: readonly number[];
  #activity = 0;

  constructor(...listening: number[]) {
    this.#listening = listening;
  }

  /** A program opens and closes ports, so that these are left. */
  listen(...ports: number[]): void {
    this.#listening = ports;
    this.run();
  }

  /** A program runs and does something else. */
  run(): void {
    this.#activity++;
  }

  /** The container ends. */
  end(): void {
    this.error = Object.assign(new Error("no such process"), { code: "ESRCH" });
  }

  activity(): string | undefined {
    this.#check();
    return this.showsActivity ? String(this.#activity) : undefined;
  }

  socketCounts(): SocketCounts {
    this.#check();
    return { tcp: this.#listening.length, tcp6: 0 };
  }

  *ports(): Generator<readonly number[]> {
    this.#check();
    this.reads++;
    for (const port of this.#listening) yield [port];
  }

  openNetwork(): undefined {
    this.#check();
  }

  [Symbol.dispose](): void {
    this.disposed = true;
  }

  #check(): void {
    if (this.error) throw this.error;
  }
}
