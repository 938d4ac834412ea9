import { userInfo } from "node:os";
import { findGroup, type Group } from "../../base/processes/find-group.ts";
import { CLIENT_GROUP } from "../background/run-folder.ts";
import { type Finding, goodFinding, noteFinding } from "./finding.ts";

export interface Person {
  readonly name: string;
  /** The ids of the groups of this session; undefined where it is another person's than the one that is asked about. */
  readonly session: readonly number[] | undefined;
}

/** Whether the person who runs this needs sudo for every command. */
export async function groupCheck(): Promise<Finding> {
  return groupFinding(await findGroup(CLIENT_GROUP), currentPerson());
}

/** Who called sudo, or this user. */
function currentPerson(): Person {
  const isRoot = process.getuid?.() === 0;
  const { SUDO_USER: caller } = process.env;
  if (isRoot && caller && caller !== "root") return { name: caller, session: undefined };
  return { name: isRoot ? "root" : userInfo().username, session: process.getgroups?.() ?? [] };
}

export function groupFinding(group: Group | undefined, { name, session }: Person): Finding {
  const title = `group ${CLIENT_GROUP}`;
  const join = `sudo usermod --append --groups ${CLIENT_GROUP} ${name}; it makes ${name} root of this computer`;
  if (name === "root") return goodFinding(title, "root needs no group");
  if (!group) {
    const create = `sudo groupadd --system ${CLIENT_GROUP}; ${join}; then sudo tremplin down, sudo tremplin up`;
    return noteFinding(title, "there is no such group, so every command needs sudo", create);
  }
  if (session?.includes(group.id)) return goodFinding(title, `${name} is in it, and needs no sudo`);
  if (!group.members.includes(name))
    return noteFinding(title, `${name} is not in it, so commands need sudo`, `${join}. Then log in again`);
  if (session === undefined) return goodFinding(title, `${name} is in it, and needs no sudo`);
  return noteFinding(
    title,
    `${name} is in it, but not yet in this login session`,
    `log in again, or run newgrp ${CLIENT_GROUP}`,
  );
}
