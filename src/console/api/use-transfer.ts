import { useEffect, useState } from "preact/hooks";
import { type FileTransfer, type TransferEnd, transfers } from "./transfers.ts";
import { live, useSay } from "./use-live.ts";

/** The file that this page moves, and again whenever that changes. */
export function useTransfer(): FileTransfer | undefined {
  const [current, set] = useState(transfers.current);
  useEffect(() => {
    set(transfers.current);
    return transfers.subscribe(() => set(transfers.current));
  }, []);
  return current;
}

/** Why no other file can be moved now. */
export function useTransferRefusal(): string | undefined {
  const current = useTransfer();
  return current && `One file at a time: wait until ${current.fileName} is through, or cancel it.`;
}

/** Says how a transfer ended, on whatever page the person is then. */
export function useTransferRun() {
  const say = useSay();
  return async (run: Promise<TransferEnd>): Promise<void> => {
    live.refreshSoon();
    say(await run);
    live.refreshSoon();
  };
}
