import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../contract/grpc/health/v1/health_pb.js";

/**
 * Routes of the standard health protocol: SERVING for the server as a whole ("") and for each named service. A server
 * that answers is healthy; GetStatus has the state of the engine and of guests.
 */
export function health(router: ConnectRouter, serviceNames: readonly string[]): void {
  const known = new Set(["", ...serviceNames]);
  router.service(Health, {
    check({ service }) {
      if (!known.has(service)) throw new ConnectError(`there is no service ${service} here`, Code.NotFound);
      return { status: ServingStatus.SERVING };
    },
    async *watch({ service }, { signal }) {
      yield { status: known.has(service) ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN };
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  });
}
