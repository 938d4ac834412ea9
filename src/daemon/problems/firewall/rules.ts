import type { Packet } from "./packets.ts";

/** Whether something holds; undefined: it depends on what cannot be known from the rules. */
export type Answer = boolean | undefined;

/** What a rule does to a packet that it matches. */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" | "continue" | "unknown" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export interface Rule {
  readonly matches: (packet: Packet) => Answer;
  /** Of a packet, because a map has several. */
  readonly verdict: (packet: Packet) => Verdict;
}

/** A chain of rules; with a hook, the kernel sends packets to it. */
export interface Chain {
  readonly name: string;
  readonly rules: Rule[];
  /** `input`, `forward` ... in lower case. */
  readonly hook?: string | undefined;
  /** For packets that no rule decided on. */
  readonly policy?: "accept" | "drop" | undefined;
}

/** A table of a firewall with its chains by name. */
export interface Table {
  /** `nft`: rules of nftables itself; `iptables`: those of iptables, whichever part of the kernel has them. */
  readonly program: "nft" | "iptables";
  /** `ip filter`, `inet firewalld`; of iptables `filter`. */
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** Deeper jumps are loops. */
const MAX_DEPTH = 16;

type Outcome = "accept" | "drop" | "end" | "unknown";

/** The chains of a table that surely drop a packet. What may accept it counts as accepting. */
export function droppingChains(table: Table, packet: Packet): Chain[] {
  const base = [...table.chains.values()].filter(({ hook }) => hook === packet.hook);
  return base.filter((chain) => {
    const outcome = walk(table, chain, packet, 0);
    return outcome === "drop" || (outcome === "end" && chain.policy === "drop");
  });
}

function walk(table: Table, { rules }: Chain, packet: Packet, depth: number): Outcome {
  if (depth > MAX_DEPTH) return "unknown";
  for (const rule of rules) {
    const matches = rule.matches(packet);
    if (matches === false) continue;
    const verdict = rule.verdict(packet);
    const outcome = outcomeOf(table, verdict, packet, depth);
    if (outcome === "continue") continue;
    if (matches) return outcome;
    // Perhaps it does not match: then only the rules after it can make a drop sure.
    if (outcome === "accept" || outcome === "unknown") return "unknown";
  }
  return "end";
}

function outcomeOf(table: Table, verdict: Verdict, packet: Packet, depth: number): Outcome | "continue" {
  if (verdict.kind === "return") return "end";
  if (verdict.kind !== "jump" && verdict.kind !== "goto") return verdict.kind;
  const chain = table.chains.get(verdict.chain);
  if (!chain) return "unknown";
  const outcome = walk(table, chain, packet, depth + 1);
  return outcome === "end" && verdict.kind === "jump" ? "continue" : outcome;
}

/** All of several conditions. */
export function every(answers: Iterable<Answer>): Answer {
  let all: Answer = true;
  for (const answer of answers) {
    if (answer === false) return false;
    if (answer === undefined) all = undefined;
  }
  return all;
}

/** One of several conditions. */
export function some(answers: Iterable<Answer>): Answer {
  const negated = every([...answers].map(not));
  return not(negated);
}

export function not(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}
