import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMessage, fromJson } from "@bufbuild/protobuf";
import * as z from "zod";
import { CommandLineFixture, RecordedIo } from "../../test/support/command-line.ts";
import { eventually } from "../../test/support/eventually.ts";
import {
  CheckUpgradeProgressSchema,
  ContainerSchema,
  GetStatusResponseSchema,
  ListSnapshotsResponseSchema,
  ListTimezonesResponseSchema,
  PrepareImageProgressSchema,
  ShareSchema,
} from "../contract/tremplin/v1/guest_pb.js";
import {
  ActionInfoSchema,
  EventSchema,
  GuestContainersSchema,
  GuestInfoSchema,
  ListForwardsResponseSchema,
  ListOperationsResponseSchema,
} from "../contract/tremplin/v1/host_pb.js";
import { createProgram } from "./program.ts";
import { allCommands, modelOf } from "./reference/command-model.ts";

/** A message of the contract or of the API: no other fields than its own. */
function message(schema: DescMessage) {
  return z.json().superRefine((value, context) => {
    try {
      fromJson(schema, value);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });
}

/** A message, with more fields beside its own. */
function messageWith<T extends z.ZodRawShape>(schema: DescMessage, more: T) {
  return z.looseObject(more).superRefine((value, context) => {
    const own = Object.fromEntries(Object.entries(value).filter(([key]) => !(key in more)));
    const { error } = message(schema).safeParse(own);
    if (error) context.addIssue(z.prettifyError(error));
  });
}

const text = z.string();
const count = z.number().min(0);
const texts = z.array(text);
const result = z.strictObject({ container: text, result: text, operation: text.optional() });
const event = z.strictObject({ event: message(EventSchema) });
const image = z.strictObject({ image: message(PrepareImageProgressSchema) });
const guest = message(GuestInfoSchema);
const actions = z.array(message(ActionInfoSchema));
const user = z.strictObject({ container: text, username: text });
const usage = z.strictObject({
  ...{
    container: text,
    cpuPercent: count.optional(),
    memoryBytes: count,
    memoryLimitBytes: count.optional(),
  },
  ...{ processes: count, receivedBytesPerSecond: count.optional() },
  ...{ sentBytesPerSecond: count.optional(), diskBytes: count.optional() },
});
const usbDevice = z.strictObject({ manufacturer: text, product: text, serial: text, id: text, speed: text });
const usbPort = z.strictObject({
  ...{ number: count, usbVersion: count, containerName: text, devices: z.array(usbDevice) },
});
const finding = z.strictObject({ name: text, state: text, found: text, advice: text.optional() });
const listed = { guest: text, stale: z.boolean(), ports: z.array(count), actions };
const own = { username: text, homedir: text, ports: z.array(count), actions, problems: z.unknown() };
const launched = { user: text, address: text, shell: text, notes: texts.optional() };

/** What the last line of each command is, and the lines before it: with `event` those of an operation. */
const outputs: Readonly<Record<string, readonly [last: z.ZodType, ...before: z.ZodType[]]>> = {
  status: [
    z.strictObject({
      host: text,
      guests: z.array(messageWith(GuestInfoSchema, { status: message(GetStatusResponseSchema) })),
    }),
  ],
  list: [
    z.strictObject({
      containers: z.array(messageWith(ContainerSchema, listed)),
      guests: z.array(message(GuestContainersSchema)),
    }),
  ],
  "launch new --debian bookworm": [
    z.strictObject({ container: text, result: text, ...launched }),
    event,
    image,
  ],
  "create new --debian bookworm": [result, event, image],
  "start web": [result, event],
  "stop web": [result, event],
  "restart web": [result, event],
  "rename web other": [result, event],
  "copy web other": [result, event],
  "set web cpu=1": [result],
  "get web": [z.strictObject({ container: text, settings: z.record(text, text) })],
  "top --once --interval 1": [z.strictObject({ containers: z.array(usage) })],
  "snapshot web s2": [result, event],
  snapshots: [message(ListSnapshotsResponseSchema)],
  "restore web s1 --yes": [result, event],
  "delete web --yes": [result, event],
  "delete web/s1 --yes": [result],
  "info web": [messageWith(ContainerSchema, own)],
  "user web": [user],
  "user web ada": [user],
  timezone: [message(ListTimezonesResponseSchema)],
  "timezone Etc/UTC web": [z.strictObject({ zone: text, successes: count, failureReasons: texts })],
  "share web /srv": [result],
  shares: [z.strictObject({ shares: z.array(messageWith(ShareSchema, { container: text })) })],
  "unshare web /mnt/srv": [result],
  "upgrade web --to bookworm": [result, event],
  "upgrade web --to bookworm --dry-run": [z.strictObject({ check: message(CheckUpgradeProgressSchema) })],
  "upgrade web --commit": [result, event],
  debug: [z.strictObject({ debugInformation: text })],
  "export web --shared": [result, event],
  "import web backup.tar.gz --shared --yes": [result, event],
  ports: [
    z.strictObject({
      containers: z.array(z.strictObject({ guest: text, container: text, ports: z.array(count) })),
    }),
  ],
  "forward list": [message(ListForwardsResponseSchema)],
  "forward on web": [message(ListForwardsResponseSchema)],
  "forward off web": [message(ListForwardsResponseSchema)],
  "forward map web 8080 auto": [message(ListForwardsResponseSchema)],
  "usb list": [z.strictObject({ ports: z.array(usbPort) })],
  "usb attach web 1": [z.strictObject({ containerName: text, port: count })],
  "usb detach 1": [z.strictObject({ port: count })],
  "watch --once": [message(EventSchema), message(EventSchema)],
  history: [message(ListOperationsResponseSchema)],
  "guest list": [z.strictObject({ guests: z.array(guest) })],
  "guest add other unix:/nowhere --listener unix:FOLDER/other.sock": [z.strictObject({ guest })],
  "guest remove other": [z.unknown()],
  doctor: [z.strictObject({ findings: z.array(finding) })],
  "logs web": [z.strictObject({ container: text, lines: texts })],
};
/** They need a console, or programs and files of this computer: tested with those. */
const elsewhere =
  /^(console|cp|ssh-config|up|down|machine (up|down|status)|trust (guest|client|host|list|revoke))$/;

test("each command with --json is known to these tests", async () => {
  const all = allCommands(modelOf(await createProgram("all", new RecordedIo())));
  const leaves = all.filter(({ commands, options }) => {
    return commands.length === 0 && options.some(({ names }) => names.includes("--json"));
  });
  const names = leaves.map(({ path }) => path.slice(1).join(" "));
  const isKnown = (name: string) => Object.keys(outputs).some((line) => `${line} `.startsWith(`${name} `));
  assert.deepEqual(
    names.filter((name) => !elsewhere.test(name) && !isKnown(name)),
    [],
    "add a line for each of them to outputs",
  );
});

test("what each command prints with --json has its schema", async (t) => {
  const place = await CommandLineFixture.open(t);
  for (const [name, [last, ...before]] of Object.entries(outputs)) {
    await eventually("the end of the last one", async () => place.guest.operations.length === 0 || undefined);
    place.guest.containers.clear();
    place.guest.containers.set("web", /^(rename|start) /.test(name) ? "stopped" : "running");
    place.guest.snapshots.clear();
    place.guest.snapshots.add("web/s1");
    const { code, stdout, stderr } = await place.output(`${name.replace("FOLDER", place.folder)} --json`);
    assert.ok(code === 0 || name === "doctor", `${name}: ${stderr}`);
    const documents = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const [index, document] of documents.entries()) {
      const schema = index === documents.length - 1 ? last : z.union([last, ...before]);
      const { error } = schema.safeParse(document);
      assert.equal(error && z.prettifyError(error), undefined, `${name}: ${JSON.stringify(document)}`);
    }
  }
});
