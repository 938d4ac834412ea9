import { Code, ConnectError } from "@connectrpc/connect";
import { Pace } from "../../base/pace.ts";
import { bytesText } from "../../base/text.ts";
import { type BackupTransfer, BackupTransfer_Phase as Phase } from "../../contract/tremplin/v1/host_pb.js";
import type { Target } from "./actions.ts";
import { host, sentenceOf } from "./host.ts";

/** A backup on its way from or to this computer. */
export interface FileTransfer {
  readonly kind: "download" | "upload";
  readonly target: Target;
  readonly fileName: string;
  /** Undefined until the host answers. */
  readonly state: BackupTransfer | undefined;
  readonly pace: Pace;
}

/** How a transfer ended, as a sentence. */
export interface TransferEnd {
  readonly kind: "error" | "done";
  readonly text: string;
}

/** The file that this page moves. One at a time: browsers have few connections to a host for all of its pages. */
export class Transfers {
  #current: FileTransfer | undefined;
  readonly #listeners = new Set<() => void>();

  get current(): FileTransfer | undefined {
    return this.#current;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Has the container packed, and the browser save the file. */
  download(target: Target, fileName: string): Promise<TransferEnd> {
    const request = { guest: target.guest, containerName: target.name, fileName };
    const saved = `${fileName} was sent to your browser, which shows where it is.`;
    return this.#run({ kind: "download", target, fileName }, saved, (signal) =>
      this.#follow(host.downloadBackup(request, { signal }), save),
    );
  }

  /** Sends a file, and has a container made of it. `replace`: one of that name. */
  upload(target: Target, file: File, replace: boolean): Promise<TransferEnd> {
    const request = {
      ...{ guest: target.guest, containerName: target.name, fileName: file.name, replace },
      totalBytes: BigInt(file.size),
    };
    const made = `${target.name} was made from ${file.name}, ${bytesText(file.size)}.`;
    return this.#run({ kind: "upload", target, fileName: file.name }, made, async (signal) => {
      let unread = false;
      const put = (urlPath: string): void => {
        fetch(urlPath, { method: "PUT", body: file, signal }).catch(() => {
          unread = true;
          void this.cancel();
        });
      };
      try {
        await this.#follow(host.uploadBackup(request, { signal }), put);
      } catch (thrown) {
        // Where the host says why, that is the reason, also of what the browser could not send.
        if (!unread || ConnectError.from(thrown).code !== Code.Canceled) throw thrown;
        const text = `The browser could not send ${file.name}: it was cancelled, or changed or vanished meanwhile.`;
        throw new ConnectError(`${text} Nothing of it was kept.`, Code.Canceled);
      }
    });
  }

  /** Its end comes as that of `download` or `upload`. */
  async cancel(): Promise<void> {
    const id = this.#current?.state?.id;
    if (id) await host.cancelBackupTransfer({ id }).catch(() => undefined);
  }

  async #run(
    begun: Pick<FileTransfer, "kind" | "target" | "fileName">,
    done: string,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<TransferEnd> {
    const ended = new AbortController();
    this.#show({ ...begun, state: undefined, pace: new Pace() });
    try {
      await work(ended.signal);
      return { kind: "done", text: done };
    } catch (thrown) {
      return { kind: "error", text: sentenceOf(thrown) };
    } finally {
      ended.abort();
      this.#show(undefined);
    }
  }

  /** `act`: what to do with the URL of the file. */
  async #follow(states: AsyncIterable<BackupTransfer>, act: (urlPath: string) => void): Promise<void> {
    let acted = "";
    for await (const state of states) {
      const current = this.#current as FileTransfer;
      const { urlPath, bytes, totalBytes, phase } = state;
      const hasNewPhase = phase !== current.state?.phase;
      const pace = hasNewPhase ? new Pace() : current.pace;
      if (totalBytes > 0n)
        pace.record(performance.now(), (100 * Number(bytes)) / Number(totalBytes), Number(bytes));
      this.#show({ ...current, state, pace });
      if (urlPath && urlPath !== acted) {
        acted = urlPath;
        act(urlPath);
      }
      if (phase === Phase.DONE) return;
    }
  }

  #show(current: FileTransfer | undefined): void {
    this.#current = current;
    for (const listener of this.#listeners) listener();
  }
}

export const transfers = new Transfers();

/** The answer says that it is a file to be saved, so the page stays. */
function save(urlPath: string): void {
  const link = document.createElement("a");
  link.href = urlPath;
  link.download = "";
  link.click();
}
