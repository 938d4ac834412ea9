import { bytesText } from "../../base/text.ts";
import type { Container } from "../../contract/tremplin/v1/guest_pb.js";
import { containerKey } from "../api/live.ts";
import { live } from "../api/use-live.ts";
import { Chart } from "./chart.tsx";

interface UsageChartsProps {
  readonly guest: string;
  readonly container: Container;
  readonly withLimit?: boolean;
}

/** Processor, memory and network of a container that runs; nothing for any other. */
export function UsageCharts({ guest, container, withLimit = false }: UsageChartsProps) {
  const { usage } = container;
  if (!usage) return null;
  const points = live.usage.pointsOf(containerKey(guest, container.name));
  const last = points.at(-1);
  const limit = Number(usage.memoryLimitBytes);
  const memory = Number(usage.memoryBytes);
  return (
    <div class="charts">
      <Chart
        title="Processor"
        values={points.map(({ processor }) => processor)}
        text={last ? `${Math.round(last.processor)} %` : "measuring"}
        top={100}
      />
      <Chart
        title="Memory"
        values={points.map(({ memoryBytes }) => memoryBytes)}
        text={withLimit && limit > 0 ? `${bytesText(memory)} of ${bytesText(limit)}` : bytesText(memory)}
        top={limit || memory * 1.5}
      />
      <Chart
        title="Network"
        values={points.map(({ networkBytesPerSecond }) => networkBytesPerSecond)}
        text={last ? `${bytesText(Math.round(last.networkBytesPerSecond))}/s` : "measuring"}
        top={100_000}
      />
    </div>
  );
}
