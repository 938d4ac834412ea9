import { useEffect } from "preact/hooks";
import { onSignedInElsewhere } from "../api/page-key.ts";
import { useShown } from "../api/use-live.ts";
import { whenText } from "./when.ts";

const words = {
  live: "Live",
  connecting: "Connecting",
  lost: "Not connected",
  "signed-out": "Signed out",
} as const;

/** Whether what is shown is how things are now. */
export function ConnectionState() {
  const { connection } = useShown();
  return (
    <span class={`connection ${connection.kind}`} role="status">
      {words[connection.kind]}
    </span>
  );
}

/** Says that what is shown is old. */
export function ConnectionNote() {
  const { connection, guests, readAt } = useShown();
  if (connection.kind === "live" || (connection.kind === "connecting" && !guests)) return null;
  const reason = connection.kind === "lost" ? connection.reason : "The host is asked again.";
  return (
    <div class="note warning">
      <p>
        {reason} {guests && `What follows is how things were at ${whenText(readAt)}.`}
      </p>
    </div>
  );
}

export function SignedOut() {
  useEffect(() => onSignedInElsewhere(() => location.reload()), []);
  return (
    <main class="sentence-page">
      <h1>Sign in</h1>
      <p>
        This browser is not signed in any more. Run this on the machine of the host, and open the URL that it
        prints:
      </p>
      <pre>
        <code>tremplin console</code>
      </pre>
    </main>
  );
}
