import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Registry } from "prom-client";
import { parse } from "yaml";
import { daemonMetrics } from "./daemon-metrics.ts";
import { hostMetrics } from "./host-metrics.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const page = readFileSync("docs/monitoring.md", "utf8");
const yamlBlocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => parse(block));
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync("src/telemetry/metrics/grafana-dashboard.json", "utf8"),
);

/** Added by Prometheus itself. */
const ALWAYS = ["instance", "job", "le"];

/** The labels of each metric that there is, with the names that a histogram has for its parts. */
function metricsThere(): { all: Map<string, readonly string[]>; own: string[] } {
  const options = { version: "1", elapsed: () => performance.now() };
  using daemon = daemonMetrics(options, () => undefined);
  using host = hostMetrics(options, () => undefined);
  const all = new Map<string, readonly string[]>();
  const own = new Set<string>();
  const add = (registry: Registry): void => {
    for (const metric of registry.getMetricsAsArray()) {
      const { name, labelNames, type } = metric as unknown as {
        name: string;
        labelNames: string[];
        type?: unknown;
      };
      own.add(name);
      all.set(name, labelNames);
      if (String(type) === "histogram" || "buckets" in metric)
        for (const part of ["bucket", "sum", "count"]) all.set(`${name}_${part}`, labelNames);
    }
  };
  add(daemon.registry);
  add(host.registry);
  return { all, own: [...own] };
}

/** Whether every metric of a query exists, and has the labels that the query names. */
function checkQuery(query: string, legend = ""): void {
  const { all } = metricsThere();
  const names = query.match(/\b(?:tremplin|process|nodejs)_\w+/g) ?? [];
  assert.ok(names.length > 0, query);
  for (const name of names) assert.ok(all.has(name), `there is no metric ${name}: ${query}`);
  const allowed = [...ALWAYS, ...names.flatMap((name) => all.get(name) ?? [])];
  const labels = [
    ...[...query.matchAll(/(?:by|on|group_left) \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/, */)),
    ...[...query.matchAll(/[{,] *(\w+)(?:=|!)/g)].map(([, label = ""]) => label),
    ...[...legend.matchAll(/\{\{(?: *\$labels\.)?(\w+)\}\}/g)].map(([, label = ""]) => label),
  ];
  for (const label of labels)
    assert.ok(allowed.includes(label), `no metric has ${label}: ${query} ${legend}`);
}

describe("the documents about metrics", () => {
  test("describe each metric, with its labels, and no other", () => {
    const { all, own } = metricsThere();
    const described = new Map<string, string[]>();
    for (const [, names = "", labels = ""] of page.matchAll(/^\| (`.*?) \| (.*?) \|/gm)) {
      for (const [, name = ""] of names.matchAll(/`((?:tremplin|process|nodejs)_\w+)`/g)) {
        described.set(
          name,
          [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label),
        );
      }
    }
    assert.deepEqual([...described.keys()].sort(), own.toSorted());
    for (const [name, labels] of described)
      assert.deepEqual(labels.sort(), [...(all.get(name) ?? [])].sort(), name);
  });

  test("have alerts that ask for what there is", () => {
    const alerts: Alert[] = yamlBlocks.flatMap(({ groups = [] }) =>
      groups.flatMap(({ rules }: { rules: Alert[] }) => rules),
    );
    assert.ok(alerts.length >= 5);
    for (const { alert, expr, labels, annotations } of alerts) {
      assert.match(alert, /^Tremplin[A-Z]\w+$/);
      assert.ok(labels.severity && annotations.summary.endsWith("."), alert);
      checkQuery(expr, annotations.summary.replaceAll("{{ $labels.", "{{").replaceAll(" }}", "}}"));
    }
  });

  test("have a dashboard that asks for what there is, and for nearly all of it", () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    for (const { expr, legendFormat } of targets) checkQuery(expr, legendFormat);
    const text = targets.map(({ expr }) => expr).join("\n");
    const missing = metricsThere().own.filter((name) => !text.includes(name));
    assert.deepEqual(missing, ["process_start_time_seconds"]);
    const ids = new Set(dashboard.panels.map((panel) => (panel as unknown as { id: number }).id));
    assert.equal(ids.size, dashboard.panels.length);
  });
});
