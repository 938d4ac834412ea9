import type { RpcDeps } from "./rpc.ts";

/** All ports of the USB controller, with the container that each is assigned to. */
export function listUsbPorts({ usb }: Pick<RpcDeps, "usb">) {
  return async () => {
    const ports = await usb.list();
    return {
      ports: ports.map(({ container, devices, ...port }) => ({
        ...port,
        containerName: container,
        devices: [...devices],
      })),
    };
  };
}
