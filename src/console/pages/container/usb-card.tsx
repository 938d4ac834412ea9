import { actionNamed } from "../../parts/button.tsx";
import { UsbPorts } from "../../parts/usb-ports.tsx";
import type { CardProps } from "./card-props.ts";

/** The USB ports of the guest, for this container. */
export function UsbCard({ target: { guest, name }, actions }: CardProps) {
  return (
    <section class="card">
      <h2>USB</h2>
      <p>
        {name} has all devices in a port that is attached to it: those there now, and those plugged in later.
      </p>
      <UsbPorts guest={guest} containers={[name]} action={actionNamed(actions, "usb")} />
    </section>
  );
}
