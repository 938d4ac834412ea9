import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import type { Config } from "../../engine/resources/pools.ts";
import { AUTOSTART_KEY, type Autostart, isOn } from "../sites/autostart.ts";

/** The engine knows `last` only where no profile says otherwise, so a container with this mark is started by the daemon. */
const MARK = "user.tremplin.autostart";
/** Whether it ran when its engine ended, by the engine. */
const POWER = "volatile.last_state.power";
const RUNNING = "RUNNING";
const PROFILE = "default";

type Source = Pick<Instance, "config" | "expanded_config" | "profiles">;

/** What holds for a container. `ofSite`: for those that say nothing themselves and have no profile of a person. */
export function autostartOf({ config, expanded_config, profiles }: Source, ofSite: Autostart): Autostart {
  const ofEngine = expanded_config[AUTOSTART_KEY];
  if (!ofEngine) return "last";
  if (isOn(ofEngine)) return "on";
  if (config[MARK] === "last") return "last";
  const followsSite = !config[AUTOSTART_KEY] && profiles.every((name) => name === PROFILE);
  return followsSite && ofSite === "last" ? "last" : "off";
}

export function withAutostart(config: Config, choice: Autostart): Config {
  const { [MARK]: _, ...others } = config;
  const chosen = { ...others, [AUTOSTART_KEY]: String(choice === "on") };
  return choice === "last" ? { ...chosen, [MARK]: "last" } : chosen;
}

/** Whether the daemon is to start it because it ran when its engine ended. The engine starts the others itself. */
export function isToRunAgain(instance: Instance, ofSite: Autostart): boolean {
  const { config, expanded_config, status_code } = instance;
  if (status_code !== instanceStatus.stopped || config[POWER] !== RUNNING) return false;
  return expanded_config[AUTOSTART_KEY] ? autostartOf(instance, ofSite) === "last" : false;
}

/** The order of the engine for those that it starts itself: the highest priority first. */
export function startOrder(instances: readonly Instance[]): Instance[] {
  const priority = ({ expanded_config }: Instance) => Number(expanded_config["boot.autostart.priority"]) || 0;
  return instances.toSorted((a, b) => priority(b) - priority(a) || (a.name < b.name ? -1 : 1));
}

/**
 * Notes at the engine that a container is stopped on purpose. The engine itself does not know it when it died during
 * the stop, nor after a restore from a snapshot of the running container.
 */
export async function recordStopped(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  const found = await engine.instances.get(name, { signal }).catch(ifMissing);
  if (found?.value.config[POWER] !== RUNNING || found.value.status_code !== instanceStatus.stopped) return;
  const change = (instance: { readonly config: Config }) => ({ ...instance.config, [POWER]: "STOPPED" });
  await engine.instances.update(name, (instance) => ({ ...instance, config: change(instance) }), { signal });
}
