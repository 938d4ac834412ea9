import { debugInfoOf } from "../api/guests.ts";
import { useAnswer } from "../api/use-answer.ts";
import { debugSections } from "../model/debug-sections.ts";
import { Log, LongText } from "../parts/long-text.tsx";
import { linkTo } from "../route.ts";

/** The daemon and the engine, before their logs and those of all containers. */
const OPEN_SECTIONS = 2;

/** Diagnostics of a guest, for somebody who helps. */
export function DebugPage({ guest }: { readonly guest: string }) {
  const info = useAnswer((signal) => debugInfoOf(guest, signal), guest);
  return (
    <section class="page">
      <p class="back">
        <a href={linkTo("guest", guest)}>{guest}</a>
      </p>
      <h1>Debug information</h1>
      <p class="lead">
        How the daemon, the engine and the containers of {guest} are, with the ends of their logs. Known
        secrets are masked; read it before you give it to somebody.
      </p>
      <LongText
        answer={info}
        asking="Collecting it…"
        nothing="The guest has none."
        label="Debug information"
        fileName={`tremplin-${guest}.txt`}
        show={(text) => <Sections text={text} />}
      />
    </section>
  );
}

function Sections({ text }: { readonly text: string }) {
  return (
    <div class="sections">
      {debugSections(text).map(({ title, body }, index) => (
        <details key={`${index} ${title}`} class="card" open={index < OPEN_SECTIONS}>
          <summary>
            <h2>{title}</h2>
          </summary>
          <Log label={title} text={body} />
        </details>
      ))}
    </div>
  );
}
