import { useEffect } from "preact/hooks";
import { paceText } from "../../base/pace.ts";
import { bytesText, plainText } from "../../base/text.ts";
import { type OperationInfo, BackupTransfer_Phase as Phase } from "../../contract/tremplin/v1/host_pb.js";
import { type FileTransfer, transfers } from "../api/transfers.ts";
import { live, useShown } from "../api/use-live.ts";
import { useTransfer } from "../api/use-transfer.ts";
import { Bar } from "./bar.tsx";
import { ActionButton, anytime } from "./button.tsx";

interface PhaseWords {
  readonly step: string;
  /** While nothing says it better. */
  readonly text: string;
  /** Whether closing the page would end it. */
  readonly needsPage: boolean;
}

const begins: PhaseWords = { step: "Step 1 of 2", text: "asking the host", needsPage: true };

const phases: Readonly<Partial<Record<Phase, PhaseWords>>> = {
  [Phase.PACKING]: { step: "Step 1 of 2", text: "packing", needsPage: true },
  [Phase.SAVING]: { step: "Step 2 of 2", text: "your browser saves the file", needsPage: false },
  [Phase.SENDING]: { step: "Step 1 of 2", text: "sending the file", needsPage: true },
  [Phase.IMPORTING]: { step: "Step 2 of 2", text: "making the container", needsPage: false },
};

/** The file that this page moves: how far it is, how fast, for how long, and how to end it. */
export function TransferCard() {
  const current = useTransfer();
  const { operations } = useShown();
  const words = phases[current?.state?.phase ?? Phase.PHASE_UNSPECIFIED] ?? begins;
  useWarning(current !== undefined && words.needsPage);
  if (!current) return null;
  const { kind, target, fileName, state } = current;
  const title = `${kind === "download" ? "Download" : "Upload"} of ${kind === "download" ? target.name : fileName}`;
  const operation = operations.find((each) => state?.operation && each.operation === state.operation);
  const { percent, text, pace } = progressOf(current, words, operation);
  return (
    <section class="card transfer" aria-label={title}>
      <h2>{title}</h2>
      <Bar label={title} percent={percent} />
      <p class="operation-text">
        <span>
          {words.step}: {text}
        </span>{" "}
        <span class="quiet-text">{pace}</span>
        <ActionButton
          look="quiet"
          action={anytime("cancel")}
          run={() => transfers.cancel()}
          label={`Cancel: ${title}`}
        >
          Cancel
        </ActionButton>
      </p>
      <p class="quiet-text">{words.needsPage ? "Keep this page open until the next step." : ""}</p>
    </section>
  );
}

/** In two of the phases the guest works, and its operation says how far it is. */
function progressOf({ state, pace }: FileTransfer, words: PhaseWords, operation: OperationInfo | undefined) {
  if (operation) {
    const own = live.paces.of(operation);
    return { percent: operation.percent, text: plainText(operation.text), pace: own ? paceText(own) : "" };
  }
  const total = Number(state?.totalBytes ?? 0n);
  if (total === 0) return { percent: undefined, text: words.text, pace: "" };
  const bytes = Number(state?.bytes);
  const text = `${words.text}, ${bytesText(bytes)} of ${bytesText(total)}`;
  return { percent: Math.floor((100 * bytes) / total), text, pace: paceText(pace) };
}

/** The browser asks before it closes the page. */
function useWarning(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isNeeded]);
}
