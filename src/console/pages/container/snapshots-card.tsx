import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useState } from "preact/hooks";
import { Snapshot_Owner as Owner, type Snapshot } from "../../../contract/tremplin/v1/guest_pb.js";
import { deleteSnapshot, returnToSnapshot, snapshotsOf, takeSnapshot } from "../../api/daily.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { Answered } from "../../parts/answered.tsx";
import { AskFirst } from "../../parts/ask-first.tsx";
import { ActionButton, actionNamed } from "../../parts/button.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { whenText } from "../../parts/when.ts";
import type { CardProps } from "./card-props.ts";

const lifetimes = [
  { value: "0", text: "never" },
  { value: "1", text: "1 day" },
  { value: "7", text: "7 days" },
  { value: "30", text: "30 days" },
];

interface SnapshotsCardProps extends CardProps {
  readonly isRunning: boolean;
}

/** The files and settings of the container at some instants. */
export function SnapshotsCard(props: SnapshotsCardProps) {
  const { target, actions, changed } = props;
  const [name, setName] = useState("");
  const [days, setDays] = useState("0");
  const snapshots = useAnswer(
    (signal) => snapshotsOf(target, signal),
    `${target.guest}/${target.name} ${changed}`,
  );
  const take = async (): Promise<void> => {
    await takeSnapshot(target, name, Number(days));
    setName("");
  };
  return (
    <section class="card">
      <h2>Snapshots</h2>
      <p>The files and settings of {target.name} at one instant. It can return to them later.</p>
      <Answered answer={snapshots} asking="Asking for its snapshots…">
        {(all) =>
          all.length === 0 ? (
            <p class="quiet-text">There is none yet. Take one before you try something.</p>
          ) : (
            <ul class="rows">
              {all.map((each) => (
                <SnapshotEntry key={each.name} {...props} snapshot={each} again={snapshots.again} />
              ))}
            </ul>
          )
        }
      </Answered>
      <div class="fields">
        <TextField label="Snapshot" hint="Its name, if it needs one." value={name} onInput={setName} />
        <Choice label="Deleted after" hint="By itself." value={days} choices={lifetimes} onChange={setDays} />
      </div>
      <div class="buttons">
        <ActionButton action={actionNamed(actions, "snapshot")} run={take}>
          Take a snapshot
        </ActionButton>
      </div>
    </section>
  );
}

interface SnapshotEntryProps extends SnapshotsCardProps {
  readonly snapshot: Snapshot;
  readonly again: () => void;
}

function SnapshotEntry({ target, actions, isRunning, snapshot, again }: SnapshotEntryProps) {
  const { name, createdAt, expiresAt, owner } = snapshot;
  const taken = createdAt ? whenText(timestampMs(createdAt)) : "at an unknown time";
  const until = expiresAt ? `, until ${whenText(timestampMs(expiresAt))}` : "";
  return (
    <li>
      <div>
        <p class="row-name">{name}</p>
        <p class="quiet-text">
          {taken}
          {until}
          {owner === Owner.UPGRADE && ", from before a release upgrade"}
          {owner === Owner.OPERATION && ", of an operation"}
        </p>
      </div>
      {owner === Owner.PERSON && (
        <div class="buttons">
          <AskFirst
            text="Return to it"
            label={`Return to ${name}`}
            action={actionNamed(actions, "restore")}
            title={`Return ${target.name} to ${name}?`}
            verb="Return to it"
            run={() => returnToSnapshot(target, name)}
          >
            <p>
              Lost for good: every file that was written or changed in {target.name} since {taken}, and its
              settings since then. Its snapshots stay.
            </p>
            {isRunning && <p>It is running: its programs are killed at once, and it is started again.</p>}
          </AskFirst>
          <AskFirst
            text="Delete"
            label={`Delete ${name}`}
            // The same as for taking one: nothing else may be under way.
            action={actionNamed(actions, "snapshot")}
            title={`Delete the snapshot ${name}?`}
            verb="Delete it"
            run={() => deleteSnapshot(target, name).finally(again)}
          >
            <p>
              Lost for good: what {target.name} was {taken}. It stays as it is now.
            </p>
          </AskFirst>
        </div>
      )}
    </li>
  );
}
