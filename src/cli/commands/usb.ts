import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
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
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { refusalError } from "../host-client/refusal-error.ts";
import type { Io } from "../io.ts";

const CALL_TIMEOUT_MS = 60_000;

export function usbCommand(io: Io): Command {
  const settings = { signal: io.interrupted, timeout: CALL_TIMEOUT_MS };
  const list = withHostFlags(new Command("list"))
    .description("list the ports, the devices in them and the containers they are attached to")
    .action(async (flags: HostFlags) => {
      using api = HostApi.open(flags);
      const answer = await api.call(Guest.method.listUsbPorts, {}, settings);
      if (flags.json) {
        io.out(jsonLine(toJson(ListUsbPortsResponseSchema, answer, { alwaysEmitImplicit: true })));
      } else if (answer.ports.length > 0) io.out(table(answer.ports, io.columns));
      else io.err("the guest has no USB controller (xHCI) with ports\n");
    });
  const attach = withHostFlags(new Command("attach"))
    .description("attach a port to a container: all devices in it, now and later")
    .argument("<name>", "the container", containerName)
    .argument("<port>", "the number of the port, as tremplin usb list shows it")
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
      if (status !== Attached.OK) throw await refusalError(api, title, name, failureReason, true);
      printResult(
        flags,
        io,
        { containerName: name, port: request.portNum },
        `USB port ${port} is attached to ${name}\n`,
      );
    });
  const detach = withHostFlags(new Command("detach"))
    .description("detach a port from its container")
    .argument("<port>", "the number of the port, as tremplin usb list shows it")
    .action(async (port: string, flags: HostFlags) => {
      using api = HostApi.open(flags);
      const request = { portNum: wholeNumber(port) };
      const { status, failureReason } = await api.call(
        Tremplin.method.detachUsbFromContainer,
        request,
        settings,
      );
      if (status !== Detached.OK)
        throw await refusalError(api, `detaching port ${port}`, "", failureReason, false);
      printResult(flags, io, { port: request.portNum }, `USB port ${port} is detached\n`);
    });
  return new Command("usb").addCommand(list, { isDefault: true }).addCommand(attach).addCommand(detach);
}

function printResult({ json }: HostFlags, io: Io, document: object, sentence: string): void {
  io.out(json ? jsonLine(document) : sentence);
}

function table(ports: readonly UsbPort[], columns: number | undefined): string {
  const rows = ports.flatMap(({ number, usbVersion, containerName, devices }) => {
    const port = [`${number}`, `USB ${usbVersion}`, plainText(containerName) || "-"];
    const [first, ...behindHub] = devices.map(deviceText);
    return [[...port, first ?? "-"], ...behindHub.map((text) => ["", "", "", `  ${text}`])];
  });
  return tableText([["PORT", "KIND", "CONTAINER", "PLUGGED IN"], ...rows], columns);
}

function deviceText({ manufacturer, product, id, speed }: UsbDevice): string {
  return plainText(`${manufacturer} ${product} (${id}, ${speed} Mbit/s)`);
}
