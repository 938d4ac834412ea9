import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  Guest,
  ListUsbPortsResponseSchema,
  type UsbDevice,
  type UsbPort,
} from "../../contract/tremplin/v1/guest_pb.js";
import {
  AttachUsbToContainerResponse_Status as Attached,
  DetachUsbFromContainerResponse_Status as Detached,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { refusal } from "../text/refusal.ts";
import { plainText, tableText } from "../text/text.ts";

const PATIENCE = 60_000;

export function usbCommand(io: Io): Command {
  const settings = { signal: io.interrupted, timeout: PATIENCE };
  const list = withHostFlags(new Command("list"))
    .description("the ports, what is plugged into them and who has them")
    .action(async (flags: HostFlags) => {
      using api = HostApi.open(flags);
      const answer = await api.call(Guest.method.listUsbPorts, {}, settings);
      if (flags.json) {
        io.out(
          `${JSON.stringify(toJson(ListUsbPortsResponseSchema, answer, { alwaysEmitImplicit: true }))}\n`,
        );
      } else if (answer.ports.length > 0) io.out(table(answer.ports));
      else io.err("the guest has no USB controller (xHCI) with ports of USB 2 and USB 3\n");
    });
  const attach = withHostFlags(new Command("attach"))
    .description("give a container whatever is plugged into a port, now and later")
    .argument("<name>", "the container")
    .argument("<port>", "its number, as list shows it")
    .action(async (name: string, port: string, flags: HostFlags) => {
      using api = HostApi.open(flags);
      const request = { containerName: name, portNum: wholeNumber(port) };
      const { status, failureReason } = await api.call(
        Tremplin.method.attachUsbToContainer,
        request,
        settings,
      );
      if (status === Attached.NO_SUCH_CONTAINER)
        throw new TremplinError("not-found", plainText(failureReason));
      const title = `attaching port ${port} to ${name}`;
      if (status !== Attached.OK) throw await refusal(api, title, name, failureReason, true);
      said(flags, io, { containerName: name, port: request.portNum }, `${name} has USB port ${port}\n`);
    });
  const detach = withHostFlags(new Command("detach"))
    .description("take a port from the container that has it")
    .argument("<port>", "its number, as list shows it")
    .action(async (port: string, flags: HostFlags) => {
      using api = HostApi.open(flags);
      const request = { portNum: wholeNumber(port) };
      const { status, failureReason } = await api.call(
        Tremplin.method.detachUsbFromContainer,
        request,
        settings,
      );
      if (status !== Detached.OK)
        throw await refusal(api, `detaching port ${port}`, "", failureReason, false);
      said(flags, io, { port: request.portNum }, `no container has USB port ${port}\n`);
    });
  return new Command("usb").addCommand(list, { isDefault: true }).addCommand(attach).addCommand(detach);
}

function said({ json }: HostFlags, io: Io, document: object, sentence: string): void {
  io.out(json ? `${JSON.stringify(document)}\n` : sentence);
}

function table(ports: readonly UsbPort[]): string {
  const rows = ports.flatMap(({ number, usbVersion, containerName, devices }) => {
    const port = [`${number}`, `USB ${usbVersion}`, plainText(containerName) || "-"];
    const [first, ...behind] = devices.map(deviceText);
    return [[...port, first ?? "-"], ...behind.map((text) => ["", "", "", `  ${text}`])];
  });
  return tableText([["PORT", "KIND", "CONTAINER", "PLUGGED IN"], ...rows]);
}

function deviceText({ manufacturer, product, id, speed }: UsbDevice): string {
  return plainText(`${manufacturer} ${product} (${id}, ${speed} Mbit/s)`);
}
