import { useEffect, useState } from "preact/hooks";
import { sentenceOf } from "./host.ts";
import { useShown } from "./use-live.ts";

export interface Answer<T> {
  /** Undefined before the first answer, and when the newest question failed. */
  readonly value: T | undefined;
  /** Why the newest question failed. */
  readonly failure: string | undefined;
  readonly isAsking: boolean;
  /** Asks again now. */
  readonly again: () => void;
}

/** What a guest answers to a question: asked when `key` changes, and whenever the host is there again. */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, key: string): Answer<T> {
  const [round, setRound] = useState(0);
  const [isAsking, setAsking] = useState(true);
  const [answer, setAnswer] = useState<{ value?: T; failure?: string }>({});
  const isLive = useShown().connection.kind === "live";
  useEffect(() => {
    if (!isLive) return;
    const stop = new AbortController();
    const end = (newest: { value?: T; failure?: string }): void => {
      if (stop.signal.aborted) return;
      setAnswer(newest);
      setAsking(false);
    };
    setAsking(true);
    ask(stop.signal).then(
      (value) => end({ value }),
      (thrown) => end({ failure: sentenceOf(thrown) }),
    );
    return () => stop.abort();
  }, [key, round, isLive]);
  const again = (): void => setRound((before) => before + 1);
  return { value: answer.value, failure: answer.failure, isAsking, again };
}
