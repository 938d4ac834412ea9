import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { isContainerName } from "../base/container-name.ts";
import { isForwardable } from "../base/forwardable-port.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { Host, type SetForwardRequest } from "../contract/tremplin/v1/host_pb.js";
import { isSamePort, type PortKey } from "./forwards/forward-settings.ts";
import type { Forwards } from "./forwards/forwards.ts";
import type { Guests } from "./guests.ts";

type Rpcs = Pick<ServiceImpl<typeof Host>, "listForwards" | "watchForwards" | "setForward">;

/** Routes of tremplin.v1.Host about forwards (docs/ports.md), in place of those that the rest of the service has. */
export function forwardService(router: ConnectRouter, forwards: Forwards, guests: Guests): void {
  const handlers = forwardHandlers(forwards, guests);
  router.rpc(Host.method.listForwards, handlers.listForwards);
  router.rpc(Host.method.watchForwards, handlers.watchForwards);
  router.rpc(Host.method.setForward, handlers.setForward);
}

function forwardHandlers(forwards: Forwards, guests: Guests): Rpcs {
  const wanted = (guest: string) => (guest ? guests.get(guest).name : undefined);
  return {
    listForwards: ({ guest }) => ({ forwards: forwards.list(wanted(guest)) }),
    async *watchForwards({ guest }, { signal }) {
      const name = wanted(guest);
      while (!signal.aborted) {
        const change = forwards.change(signal);
        yield { forwards: forwards.list(name) };
        await change;
      }
    },
    async setForward(request, { requestHeader }) {
      const guest = request.guest ? guests.get(request.guest).name : guests.resolveTarget(requestHeader).name;
      await setForward(request, guest, forwards);
      const { containerName, port } = request;
      const all = forwards.list(guest).filter((each) => each.containerName === containerName);
      return { forwards: port === 0 ? all : all.filter((each) => each.port === port) };
    },
  };
}

async function setForward(request: SetForwardRequest, guest: string, forwards: Forwards): Promise<void> {
  const { containerName: container, port, enabled, hostPort } = request;
  checkRequest(request);
  const key = { guest, container, port };
  if (hostPort) checkFree(hostPort, key, forwards);
  try {
    if (port === 0) await forwards.settings.switchContainer(guest, container, enabled === true);
    else {
      await forwards.settings.setPort(key, {
        ...(enabled !== undefined && { enabled }),
        ...(hostPort !== undefined && { mappedTo: hostPort }),
      });
    }
  } catch (error) {
    throw new ConnectError(
      `the change could not be kept, so nothing was changed: ${errorMessage(error)}`,
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  }
  await forwards.applySettings();
}

function checkRequest({ containerName, port, enabled, hostPort }: SetForwardRequest): void {
  const invalid = (sentence: string) => new ConnectError(sentence, Code.InvalidArgument);
  if (!isContainerName(containerName)) {
    throw invalid("container_name must have 1 to 63 letters, digits and hyphens, and begin with a letter");
  }
  if (enabled === undefined && hostPort === undefined) throw invalid("give enabled or host_port");
  if (port !== 0 && !isForwardable(port)) {
    throw invalid(`port ${port} is never forwarded: it must be 1024 to 65535, and neither 2222 nor 5355`);
  }
  if (hostPort === undefined) return;
  if (port === 0) throw invalid("host_port needs port: a whole container has no one port");
  if (hostPort !== 0 && (hostPort < 1024 || hostPort > 65535)) {
    throw invalid(`cannot map to port ${hostPort} of this machine: it must be 1024 to 65535`);
  }
}

/** A port of this machine is taken from nobody. */
function checkFree(hostPort: number, key: PortKey, forwards: Forwards): void {
  if (forwards.isReserved(hostPort)) {
    const sentence = `port ${hostPort} of this machine is for the console; choose another one`;
    throw new ConnectError(sentence, Code.AlreadyExists);
  }
  const holder = forwards.holderOf(hostPort);
  if (!holder || isSamePort(holder, key)) return;
  const { guest, container, port } = holder;
  throw new ConnectError(
    `port ${hostPort} of this machine is for port ${port} of ${container} in guest ${guest}; choose another one`,
    Code.AlreadyExists,
  );
}
