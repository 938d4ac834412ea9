import { useState } from "preact/hooks";
import { plainText } from "../../base/text.ts";
import type { UsbDevice, UsbPort } from "../../contract/tremplin/v1/guest_pb.js";
import type { ActionInfo } from "../../contract/tremplin/v1/host_pb.js";
import { attachUsb, detachUsb, usbPortsOf } from "../api/guests.ts";
import { useAnswer } from "../api/use-answer.ts";
import { useShown } from "../api/use-live.ts";
import { Answered } from "./answered.tsx";
import { AskFirst } from "./ask-first.tsx";
import { ActionButton } from "./button.tsx";
import { Choice } from "./field.tsx";

/** How often the ports are looked at: nothing reports what is plugged in. */
const LOOK_MS = 5_000;

interface UsbPortsProps {
  readonly guest: string;
  /** The containers that a port can be attached to: one, or several to choose from. */
  readonly containers: readonly string[];
  readonly action: ActionInfo | undefined;
}

/** The USB ports of a guest, what is in them, and who has them. */
export function UsbPorts({ guest, containers, action }: UsbPortsProps) {
  const { readAt } = useShown();
  const look = Math.floor(readAt / LOOK_MS);
  const ports = useAnswer((signal) => usbPortsOf(guest, signal), `${guest} ${look}`);
  return (
    <Answered answer={ports} asking="Looking at the ports…">
      {(all) => <PortList all={all} {...{ guest, containers, action }} again={ports.again} />}
    </Answered>
  );
}

interface PortListProps extends UsbPortsProps {
  readonly all: readonly UsbPort[];
  readonly again: () => void;
}

function PortList({ all, ...rest }: PortListProps) {
  const [chosen, choose] = useState(rest.containers[0] ?? "");
  const container = rest.containers.includes(chosen) ? chosen : (rest.containers[0] ?? "");
  const inUse = all.filter(({ devices, containerName }) => devices.length > 0 || containerName !== "");
  const empty = all.filter((each) => !inUse.includes(each));
  if (all.length === 0)
    return (
      <p class="quiet-text">{rest.guest} has no USB controller (xHCI) whose ports containers could have.</p>
    );
  const entries = (ports: readonly UsbPort[]) =>
    ports.map((port) => <PortEntry key={port.number} {...rest} {...{ port, container }} />);
  return (
    <>
      {rest.containers.length > 1 && (
        <Choice
          label="Container"
          hint="That a port is attached to by the buttons below."
          value={container}
          choices={rest.containers.map((name) => ({ value: name, text: name }))}
          onChange={choose}
        />
      )}
      {inUse.length === 0 && (
        <p class="quiet-text">Nothing is plugged in. A device that is appears here by itself.</p>
      )}
      <ul class="rows">{entries(inUse)}</ul>
      {empty.length > 0 && (
        <details>
          <summary>{empty.length === 1 ? "1 empty port" : `${empty.length} empty ports`}</summary>
          <ul class="rows">{entries(empty)}</ul>
        </details>
      )}
    </>
  );
}

interface PortEntryProps extends Omit<PortListProps, "all" | "containers"> {
  readonly port: UsbPort;
  /** That it would be attached to; empty: there is none. */
  readonly container: string;
}

function PortEntry({ port, ...rest }: PortEntryProps) {
  const { number, usbVersion, containerName, devices } = port;
  const owner = containerName === "" ? "attached to no container" : `attached to ${containerName}`;
  return (
    <li>
      <div>
        <p class="row-name">{devices.length > 0 ? deviceText(devices[0] as UsbDevice) : "Empty"}</p>
        {devices.slice(1).map((each, index) => (
          <p key={`${each.id} ${index}`}>with {deviceText(each)}</p>
        ))}
        <p class="quiet-text">
          Port {number}, USB {usbVersion}, {owner}
        </p>
      </div>
      <div class="buttons">
        <PortButtons port={port} {...rest} />
      </div>
    </li>
  );
}

function PortButtons({ port, guest, container, action, again }: PortEntryProps) {
  const { number, containerName: owner } = port;
  const attach = () => attachUsb({ guest, name: container }, number).finally(again);
  return (
    <>
      {container !== "" && owner === "" && (
        <ActionButton action={action} run={attach} label={`Attach port ${number} to ${container}`}>
          Attach
        </ActionButton>
      )}
      {container !== "" && owner !== "" && owner !== container && (
        <AskFirst
          text={`Move to ${container}`}
          label={`Move port ${number} to ${container}`}
          action={action}
          title={`Take port ${number} from ${owner}?`}
          verb={`Move it to ${container}`}
          run={attach}
        >
          <p>{lossText(port)}</p>
        </AskFirst>
      )}
      {owner !== "" && (
        <AskFirst
          text="Detach"
          label={`Detach port ${number} from ${owner}`}
          action={action}
          title={`Detach port ${number} from ${owner}?`}
          verb="Detach it"
          run={() => detachUsb(guest, number).finally(again)}
        >
          <p>{lossText(port)}</p>
        </AskFirst>
      )}
    </>
  );
}

function lossText({ containerName, devices }: UsbPort): string {
  const what = devices.length > 0 ? deviceText(devices[0] as UsbDevice) : "what is plugged in there";
  return `${containerName} loses ${what} at once. What its programs have not yet written to it is lost; unmount it there first.`;
}

/** A device says what it is; nobody checks that. */
function deviceText({ manufacturer, product, id }: UsbDevice): string {
  const name = plainText(`${manufacturer} ${product}`);
  return name === "" ? `a device ${plainText(id)}` : `${name} (${plainText(id)})`;
}
