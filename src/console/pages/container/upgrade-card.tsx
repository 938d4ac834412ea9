import { useState } from "preact/hooks";
import { UpgradeContainerRequest_Version as Version } from "../../../contract/tremplin_pb.js";
import { commitUpgrade, rollBackUpgrade, upgrade } from "../../api/actions.ts";
import { guestService, onGuest, sentence } from "../../api/host.ts";
import { containerKey } from "../../api/live.ts";
import { live } from "../../api/use-live.ts";
import { ActionButton, actionNamed, Button, useRefusal, useRun } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
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

/** A newer Debian release, after a check of what that does, with the possibility to roll it back. */
export function UpgradeCard({ target, actions, canRollBack }: CardProps & { readonly canRollBack: boolean }) {
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
      <UpgradeLog lines={live.upgradeLogs.get(containerKey(target.guest, target.name)) ?? []} />
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

function UpgradeLog({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <details>
      <summary>What the upgrade did</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard too */}
      <pre class="log" tabIndex={0}>
        {lines.join("\n")}
      </pre>
    </details>
  );
}

function Rollback({ target, actions }: CardProps) {
  const [isAsking, setAsking] = useState(false);
  const refusal = useRefusal(actionNamed(actions, "upgrade-rollback"));
  const { runIt, isBusy } = useRun();
  return (
    <div class="note">
      <p>The last upgrade can still be rolled back, until its rollback snapshot is deleted.</p>
      <div class="buttons">
        <Button refusal={refusal} isBusy={isBusy} onClick={() => setAsking(true)}>
          Roll back
        </Button>
        <ActionButton action={actionNamed(actions, "upgrade-commit")} run={() => commitUpgrade(target)}>
          Commit: delete the rollback snapshot
        </ActionButton>
      </div>
      {isAsking && (
        <Dialog
          title={`Roll back the upgrade of ${target.name}?`}
          verb="Roll back"
          onClose={() => setAsking(false)}
          onConfirm={() => void runIt(() => rollBackUpgrade(target))}
        >
          <p>Lost for good: every change in {target.name} since the upgrade began, your files too.</p>
        </Dialog>
      )}
    </div>
  );
}
