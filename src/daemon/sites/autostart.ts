/** Whether a container runs once its engine has started: always, never, or as it did before (docs/daily.md#autostart). */
export const autostartChoices = ["on", "off", "last"] as const;
export type Autostart = (typeof autostartChoices)[number];

/** The engine's key: `on`, or not. Unset it is `last`. */
export const AUTOSTART_KEY = "boot.autostart";

/** Whether a value of that key means `on`, in all words that engines take for it. */
export function isOn(value: string): boolean {
  return /^(true|1|yes|on)$/i.test(value);
}
