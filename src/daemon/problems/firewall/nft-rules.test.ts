import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSubnet } from "../../supervisor/network/subnet.ts";
import { dropsOf } from "./find-drops.ts";
import { parseNft } from "./nft-rules.ts";

const way = { bridge: "lxdbr0", subnet: parseSubnet("100.115.92.1/24"), uplink: "eth0" };

const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const iif = (right: unknown, op?: string) => match({ meta: { key: "iifname" } }, right, op);
const oif = (right: unknown) => match({ meta: { key: "oifname" } }, right);
const state = (right: unknown) => match({ ct: { key: "state" } }, right, "in");
const field = (protocol: string, name: string, right: unknown, op?: string) =>
  match({ payload: { protocol, field: name } }, right, op);
const accept = { accept: null };
const drop = { drop: null };

interface Options {
  readonly hook?: string;
  readonly policy?: string;
  readonly family?: string;
  /** Other chains, sets and maps of the table. */
  readonly others?: readonly object[];
}

/** What is found with one base chain of these rules, each a list of expressions. */
function found(rules: readonly (readonly object[])[], options: Options = {}) {
  const { hook = "forward", policy = "drop", family = "inet", others = [] } = options;
  const at = { family, table: "mine" };
  const ruleset = [
    { metainfo: { version: "1.0.6" } },
    { table: { family, name: "mine", handle: 1 } },
    ...others.map((each) =>
      Object.fromEntries(Object.entries(each).map(([kind, it]) => [kind, { ...at, ...it }])),
    ),
    { chain: { ...at, name: "base", hook, prio: 0, policy } },
    ...rules.map((expr) => ({ rule: { ...at, chain: "base", expr } })),
  ];
  return dropsOf(parseNft(JSON.stringify({ nftables: ruleset })), way);
}

const both = [
  [iif("lxdbr0"), accept],
  [oif("lxdbr0"), state(["established", "related"]), accept],
];

for (const [what, rules, options] of [
  ["accepts both directions", both],
  ["counts and accepts", both.map((rule) => [{ counter: { packets: 0, bytes: 0 } }, ...rule])],
  [
    "accepts names with a star",
    [
      [iif("lxd*"), accept],
      [oif({ set: ["a", "lxdb*"] }), accept],
    ],
  ],
  [
    "accepts a set of names",
    [
      [iif("@mine"), accept],
      [oif("@mine"), accept],
    ],
    { others: [{ set: { name: "mine", elem: ["eth1", { elem: { val: "lxdbr0" } }] } }] },
  ],
  [
    "accepts addresses",
    [
      [field("ip", "saddr", { prefix: { addr: "100.115.92.0", len: 24 } }), accept],
      [field("ip", "daddr", { range: ["100.115.92.0", "100.115.92.255"] }), accept],
    ],
  ],
  [
    "accepts by a map",
    [
      [
        {
          vmap: {
            key: { meta: { key: "iifname" } },
            data: {
              set: [
                ["lxdbr0", accept],
                ["eth0", { goto: { target: "answers" } }],
              ],
            },
          },
        },
      ],
    ],
    { others: [{ chain: { name: "answers" } }, { rule: { chain: "answers", expr: [accept] } }] },
  ],
  [
    "accepts in a chain",
    [[{ jump: { target: "ours" } }]],
    { others: [{ chain: { name: "ours" } }, { rule: { chain: "ours", expr: [accept] } }] },
  ],
  ["may accept", [[{ xt: { type: "match", name: "conntrack" } }, accept]]],
  ["may accept by what nobody knows", [[{ something: { new: 1 } }, accept]]],
  [
    "drops others",
    [
      [iif("docker0"), drop],
      [iif("lxdbr0", "!="), oif("eth1"), drop],
    ],
    { policy: "accept" },
  ],
  ["drops marked packets", [[match({ meta: { key: "mark" } }, 1), drop]], { policy: "accept" }],
  ["drops IPv6", [[]], { family: "ip6" }],
] as const) {
  test(`a firewall that ${what} is no problem`, () => assert.deepEqual(found(rules, options), []));
}

for (const [what, rules, options] of [
  ["has only a policy", []],
  ["accepts other interfaces", [[iif("docker*"), accept]]],
  ["accepts only answers", [[state(["established", "related"]), accept]]],
  ["accepts only what goes out", [[iif("lxdbr0"), accept]]],
  [
    "accepts other addresses",
    [[field("ip", "saddr", { set: ["10.0.0.1", { prefix: { addr: "10.1.0.0", len: 16 } }] }), accept]],
  ],
  [
    "accepts invalid states by a map",
    [
      [
        {
          vmap: {
            key: { ct: { key: "state" } },
            data: {
              set: [
                ["established", accept],
                ["invalid", drop],
              ],
            },
          },
        },
      ],
    ],
  ],
  [
    "rejects at its end",
    [[iif("eth1"), accept], [{ reject: { type: "icmpx", expr: "admin-prohibited" } }]],
    { policy: "accept" },
  ],
  [
    "goes to a chain without a verdict",
    [[{ goto: { target: "empty" } }], [accept]],
    { others: [{ chain: { name: "empty" } }] },
  ],
] as const) {
  test(`a firewall that ${what} is found`, () => {
    const [problem] = found(rules, options);
    assert.match(problem?.problem ?? "", /chain base of table inet mine/);
    assert.match(
      problem?.advice ?? "",
      /^nft insert rule inet mine base iifname lxdbr0 accept; nft insert rule inet mine base oifname lxdbr0/,
    );
  });
}

test("an input chain without DHCP, or without DNS", () => {
  const input = (...rules: object[][]) => found(rules, { hook: "input" })[0];
  const port = (name: string, value: unknown) => field("udp", name, value);
  assert.match(input()?.problem ?? "", /for addresses \(DHCP\) and names \(DNS\)/);
  assert.match(input([port("dport", 67), accept])?.problem ?? "", /for names \(DNS\)/);
  assert.match(input([port("dport", 53), accept])?.problem ?? "", /for addresses \(DHCP\)/);
  assert.equal(input([port("dport", { set: [53, { range: [60, 70] }] }), accept]), undefined);
  assert.equal(
    input([
      match({ meta: { key: "l4proto" } }, { set: ["tcp", "udp"] }),
      field("th", "dport", [53, 67]),
      accept,
    ]),
    undefined,
  );
  assert.match(input([field("tcp", "dport", 22), accept])?.advice ?? "", /udp dport '\{ 53, 67 \}' accept/);
});

test("firewalld's own commands are named", () => {
  const at = { family: "inet", table: "firewalld" };
  const text = JSON.stringify({
    nftables: [
      { table: { family: "inet", name: "firewalld" } },
      { chain: { ...at, name: "filter_FORWARD", hook: "forward", policy: "accept" } },
      {
        rule: {
          ...at,
          chain: "filter_FORWARD",
          expr: [match({ ct: { key: "state" } }, ["established", "related"], "in"), accept],
        },
      },
      {
        rule: {
          ...at,
          chain: "filter_FORWARD",
          expr: [match({ ct: { key: "status" } }, "dnat", "in"), accept],
        },
      },
      { rule: { ...at, chain: "filter_FORWARD", expr: [iif("lo"), accept] } },
      {
        rule: {
          ...at,
          chain: "filter_FORWARD",
          expr: [{ reject: { type: "icmpx", expr: "admin-prohibited" } }],
        },
      },
    ],
  });
  const [problem] = dropsOf(parseNft(text), way);
  assert.match(problem?.advice ?? "", /^firewall-cmd .*--zone=trusted --change-interface=lxdbr0/);
});
