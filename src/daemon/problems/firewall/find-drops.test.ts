import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSubnet } from "../../supervisor/network/subnet.ts";
import { dropsOf } from "./find-drops.ts";
import { parseIptables } from "./iptables-rules.ts";

const way = { bridge: "lxdbr0", subnet: parseSubnet("100.115.92.1/24"), uplink: "eth0" };
const found = (text: string) => dropsOf(parseIptables(text), way);
const forwards = (rules: string, policy = "DROP") =>
  found(`*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ${policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}\nCOMMIT\n`);

/** As Docker 20 to 27 writes it. */
const docker = `:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN`;

/** As Docker 28 writes it. */
const docker28 = `:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT`;

for (const [version, rules] of Object.entries({ docker, docker28 })) {
  test(`${version} drops what containers send, and the advice helps`, () => {
    const [problem] = forwards(rules);
    assert.match(
      problem?.problem ?? "",
      /drops what containers send .*FORWARD of table filter, which Docker sets up/,
    );
    assert.match(
      problem?.advice ?? "",
      /^iptables -I DOCKER-USER -i lxdbr0 -j ACCEPT; iptables -I DOCKER-USER -o lxdbr0/,
    );
    const inserted = (problem?.advice ?? "")
      .split("; ")
      .map((command) => command.replace("iptables -I", "-A"));
    const [user = ""] = rules.split("\n").filter((line) => line.startsWith("-A FORWARD"));
    assert.deepEqual(forwards(rules.replace(user, `${inserted.join("\n")}\n${user}`)), []);
  });
}

for (const [what, rules, policy] of [
  ["accepts everything", "", "ACCEPT"],
  ["accepts the bridge", "-A FORWARD -i lxdbr0 -j ACCEPT\n-A FORWARD -o lxdbr0 -j ACCEPT"],
  ["accepts bridges of such names", "-A FORWARD -i lxd+ -j ACCEPT\n-A FORWARD -o lxd+ -j ACCEPT"],
  [
    "accepts the addresses",
    "-A FORWARD -s 100.115.92.0/24 -j ACCEPT\n-A FORWARD -d 100.115.92.0/24 -j ACCEPT",
  ],
  ["may accept it", "-A FORWARD -m owner --uid-owner 5 -j ACCEPT"],
  ["drops others", "-A FORWARD -i docker0 -j DROP\n-A FORWARD ! -i lxdbr0 -o eth1 -j DROP", "ACCEPT"],
  ["limits others", "-A FORWARD -m limit --limit 5/sec -j DROP", "ACCEPT"],
] as const) {
  test(`a firewall that ${what} is no problem`, () => assert.deepEqual(forwards(rules, policy), []));
}

for (const [what, rules, policy] of [
  ["accepts only answers", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"],
  ["accepts no answers", "-A FORWARD -i lxdbr0 -j ACCEPT"],
  [
    "rejects the rest",
    "-A FORWARD -i docker0 -j ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-port-unreachable",
    "ACCEPT",
  ],
  [
    "logs and drops",
    ':LOGDROP - [0:0]\n-A FORWARD -g LOGDROP\n-A LOGDROP -j LOG --log-prefix "a -j ACCEPT"\n-A LOGDROP -j DROP',
    "ACCEPT",
  ],
  ["accepts other addresses", "-A FORWARD -s 10.0.0.0/8,192.168.0.0/16 -j ACCEPT"],
] as const) {
  test(`a firewall that ${what} is found`, () => {
    const [problem] = forwards(rules, policy);
    assert.match(problem?.advice ?? "", /^iptables -I FORWARD -i lxdbr0 -j ACCEPT; /);
  });
}

test("a loop of chains ends", () => {
  assert.deepEqual(forwards(":A - [0:0]\n-A FORWARD -j A\n-A A -j A"), []);
});

const ufw = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:ufw-before-forward - [0:0]
:ufw-before-input - [0:0]
:ufw-user-forward - [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-before-input
-A FORWARD -j ufw-before-forward
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

test("ufw's own commands are named, for what it drops", () => {
  const [forward, input] = found(ufw);
  assert.equal(forward?.advice, "ufw route allow in on lxdbr0; ufw route allow out on lxdbr0");
  assert.match(input?.problem ?? "", /requests of containers for addresses \(DHCP\) and names \(DNS\)/);
  assert.equal(input?.advice, "ufw allow in on lxdbr0");
  assert.deepEqual(
    found(`${ufw.replace("-A ufw-user-input", "-A ufw-user-input -i lxdbr0 -j ACCEPT\n-A ufw-user-input")}`)
      .length,
    1,
  );
});
