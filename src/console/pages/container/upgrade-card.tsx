import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { UpgradeContainerRequest_Version as Version } from "../../../contract/tremplin_pb.js";
import { commitUpgrade, rollBackUpgrade, type Target, upgrade } from "../../api/actions.ts";
import { guestService, onGuest, sentence } from "../../api/host.ts";
import { containerKey } from "../../api/live.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { live } from "../../api/use-live.ts";
import { AskFirst } from "../../parts/ask-first.tsx";
import { ActionButton, actionNamed } from "../../parts/button.tsx";
import { Choice } from "../../parts/field.tsx";
import type { CardProps } from "./card-props.ts";

const releases = [
  { value: String(Version.DEBIAN_TRIXIE), text: "Debian 13 (trixie)" },
  { value: String(Version.DEBIAN_BOOKWORM), text: "Debian 12 (bookworm)" },
  { value: String(Version.DEBIAN_BULLSEYE), text: "Debian 11 (bullseye)" },
];

interface Finding {
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

interface UpgradeCardProps extends CardProps {
  readonly canRollBack: boolean;
  /** Whether one runs now. */
  readonly isUnderWay: boolean;
}

/** A newer Debian release, after a check of what that does, with the possibility to roll it back. */
export function UpgradeCard({ target, actions, canRollBack, isUnderWay }: UpgradeCardProps) {
  const [release, setRelease] = useState(releases[0]?.value ?? "");
  const [finding, setFinding] = useState<Finding>();
  const [step, setStep] = useState("");
  const check = async (): Promise<void> => {
    setFinding(undefined);
    const { headers } = onGuest(target.guest);
    const request = { containerName: target.name, targetVersion: Number(release) };
    try {
      for await (const { done, message, notes, problems } of guestService.checkUpgrade(request, {
        headers: headers ?? {},
      })) {
        setStep(message);
        if (done) setFinding({ notes, problems });
      }
    } finally {
      setStep("");
    }
  };
  const choose = (value: string): void => {
    setRelease(value);
    setFinding(undefined);
  };
  const text = releases.find(({ value }) => value === release)?.text ?? "";
  return (
    <section class="card">
      <h2>Release upgrade</h2>
      <p>
        To a newer Debian, in place. First you see what it does; afterwards it can be rolled back for seven
        days.
      </p>
      <Choice label="To" value={release} choices={releases} onChange={choose} />
      <p role="status" class="quiet-text">
        {step === "" ? "" : sentence(step)}
      </p>
      {finding && <Findings finding={finding} />}
      <div class="buttons">
        <ActionButton action={actionNamed(actions, "upgrade")} run={check}>
          Check first
        </ActionButton>
        {finding && finding.problems.length === 0 && (
          <ActionButton
            look="main"
            action={actionNamed(actions, "upgrade")}
            run={() => upgrade(target, Number(release))}
          >
            Upgrade to {text}
          </ActionButton>
        )}
      </div>
      <UpgradeLog target={target} isUnderWay={isUnderWay} />
      {canRollBack && <Rollback target={target} actions={actions} />}
    </section>
  );
}

function Findings({ finding: { notes, problems } }: { readonly finding: Finding }) {
  return (
    <div class={`note ${problems.length > 0 ? "error" : "done"}`}>
      <ul>
        {[...problems, ...notes].map((each) => (
          <li key={each}>{sentence(each)}</li>
        ))}
        {problems.length + notes.length === 0 && <li>Nothing is in the way.</li>}
      </ul>
    </div>
  );
}

interface UpgradeLogProps {
  readonly target: Target;
  readonly isUnderWay: boolean;
}

function UpgradeLog({ target: { guest, name }, isUnderWay }: UpgradeLogProps) {
  useAnswer((signal) => live.readUpgradeLog(guest, name, signal), `${guest}/${name}`);
  const lines = live.upgradeLogs.linesOf(containerKey(guest, name));
  const end = useEndInView(lines.length);
  if (lines.length === 0) return null;
  return (
    <details open={isUnderWay}>
      <summary>{isUnderWay ? "What the upgrade does" : "What the last upgrade did"}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard too */}
      <section class="log" tabIndex={0} aria-label="Log of the upgrade" ref={end}>
        <pre>{lines.join("\n")}</pre>
      </section>
    </details>
  );
}

/** Keeps the end of a text that grows in view, unless the person has scrolled up. */
function useEndInView(length: number) {
  const element = useRef<HTMLElement>(null);
  const last = useRef(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const wasAtEnd = current.scrollTop + current.clientHeight >= last.current - 8;
    if (wasAtEnd) current.scrollTop = current.scrollHeight;
    last.current = current.scrollHeight;
  }, [length]);
  return element;
}

function Rollback({ target, actions }: Pick<CardProps, "target" | "actions">) {
  const { name } = target;
  return (
    <div class="note">
      <p>The last upgrade can still be rolled back. Keep it once everything works; that frees its space.</p>
      <div class="buttons">
        <AskFirst
          text="Roll back"
          action={actionNamed(actions, "upgrade-rollback")}
          title={`Roll back the upgrade of ${name}?`}
          verb="Roll back"
          run={() => rollBackUpgrade(target)}
        >
          <p>Lost for good: every change in {name} since the upgrade began, your files too.</p>
        </AskFirst>
        <AskFirst
          text="Keep the upgrade"
          action={actionNamed(actions, "upgrade-commit")}
          title={`Keep the upgrade of ${name}?`}
          verb="Keep it"
          run={() => commitUpgrade(target)}
        >
          <p>
            Lost for good: the state of {name} from before the upgrade. It cannot be rolled back any more.{" "}
            {name} stays as it is.
          </p>
        </AskFirst>
      </div>
    </div>
  );
}
