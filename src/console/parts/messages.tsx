/** What failed or went well, until the person closes it. */
export interface Message {
  readonly id: number;
  readonly kind: "error" | "done";
  readonly text: string;
}

interface MessagesProps {
  readonly messages: readonly Message[];
  readonly onClose: (id: number) => void;
}

export function Messages({ messages, onClose }: MessagesProps) {
  return (
    <div class="messages" aria-live="assertive">
      {messages.map(({ id, kind, text }) => (
        <div key={id} class={`note ${kind}`}>
          <p>{text}</p>
          <button
            type="button"
            class="button quiet"
            aria-label="Close this message"
            onClick={() => onClose(id)}
          >
            Close
          </button>
        </div>
      ))}
    </div>
  );
}
