import { MAX_POINTS } from "../model/usage-history.ts";

interface ChartProps {
  readonly title: string;
  readonly values: readonly number[];
  /** The newest value in words. */
  readonly text: string;
  /** The value at the top, at least. */
  readonly top: number;
}

const [WIDTH, HEIGHT] = [120, 32];

/** A small chart of the last minutes, with its newest value beside it. */
export function Chart({ title, values, text, top }: ChartProps) {
  const highest = Math.max(top, ...values);
  const x = (index: number): number => WIDTH - ((values.length - 1 - index) * WIDTH) / (MAX_POINTS - 1);
  const y = (value: number): number => HEIGHT - 1 - (value / highest) * (HEIGHT - 3);
  const line = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span> <span class="chart-value">{text}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {values.length > 1 && (
          <>
            <polygon points={`${x(0).toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
            <polyline points={line} vector-effect="non-scaling-stroke" />
          </>
        )}
      </svg>
    </figure>
  );
}
