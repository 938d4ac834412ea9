import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { Live, type Shown } from "./live.ts";

export const live = new Live();

/** What is known, and again whenever it changes. */
export function useShown(): Shown {
  const [shown, set] = useState(live.shown);
  useEffect(() => {
    set(live.shown);
    return live.subscribe(() => set(live.shown));
  }, []);
  return shown;
}

/** Shows the person what failed, or went well. */
export const Say = createContext<
  (message: { readonly kind: "error" | "done"; readonly text: string }) => void
>(() => {});

export function useSay() {
  return useContext(Say);
}
