import { TremplinError } from "../../src/base/tremplin-error.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/resources/instance.ts";

interface TestInstance {
  readonly name: string;
  readonly uuid: string;
  readonly config?: Readonly<Record<string, string>>;
}

/** An engine elsewhere with stopped containers and nothing else, which answers only requests that read. */
export function engineWith(containers: readonly TestInstance[]): Engine {
  const instances = containers.map(({ name, uuid, config }) => ({
    name,
    status_code: instanceStatus.stopped,
    config: { "volatile.uuid": uuid, "volatile.last_state.idmap": "[]", ...config },
    devices: {},
    expanded_config: {},
    expanded_devices: {},
    profiles: ["default"],
    description: "",
    created_at: "2025-12-24T10:00:00Z",
    last_used_at: "2025-12-31T10:00:00Z",
  }));
  const missing = async () => {
    throw new TremplinError("not-found", "there is none");
  };
  const get = async (name: string) => {
    const value = instances.find((each) => each.name === name);
    return value ? { value } : await missing();
  };
  return {
    address: { kind: "https" },
    instances: { get, list: async () => instances },
    snapshots: {
      get: missing,
      delete: missing,
      list: async () => [{ name: "mine", created_at: "2025-12-30T10:00:00Z", config: {} }],
    },
    images: { list: async () => [], waitForUploads: async () => undefined, resolve: missing },
    operations: { changing: async () => [] },
    events: { subscribe: () => ({ ready: Promise.resolve(), [Symbol.dispose]: () => undefined }) },
  } as unknown as Engine;
}
