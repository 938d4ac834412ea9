import type { ComponentChildren } from "preact";
import type { Answer } from "../api/use-answer.ts";

interface AnsweredProps<T> {
  readonly answer: Answer<T>;
  readonly asking: string;
  readonly children: (value: T) => ComponentChildren;
}

/** What was answered; or that it was not answered yet, or why it cannot be. */
export function Answered<T>({ answer, asking, children }: AnsweredProps<T>) {
  const { value, failure } = answer;
  if (failure !== undefined)
    return (
      <div class="note warning">
        <p>{failure}</p>
      </div>
    );
  if (value === undefined) return <p class="quiet-text">{asking}</p>;
  return <>{children(value)}</>;
}
