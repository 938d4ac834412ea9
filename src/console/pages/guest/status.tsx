import { timestampMs } from "@bufbuild/protobuf/wkt";
import { plainText } from "../../../base/text.ts";
import {
  Engine_State as EngineState,
  type GetStatusResponse,
  type Problem,
} from "../../../contract/tremplin/v1/guest_pb.js";
import { sentence } from "../../api/host.ts";
import { Fact } from "../../parts/fact.tsx";
import { whenText } from "../../parts/when.ts";

/** What a guest says of itself. */
export function GuestFacts({ status }: { readonly status: GetStatusResponse | undefined }) {
  if (!status)
    return <p class="quiet-text">It supports only the original contract, which does not say more.</p>;
  const { version, startedAt, site, engine, sharedFolder, undeliveredNotices } = status;
  const names = [engine?.kind, engine?.version].map((each) => plainText(each ?? "")).join(" ");
  const state = (EngineState[engine?.state ?? 0] ?? "").toLowerCase().replaceAll("_", " ");
  const texts = [
    ["Daemon", [version, site].join(", site ")],
    ["Since", startedAt ? whenText(timestampMs(startedAt)) : ""],
    ["Engine", [state, names].filter((each) => each.trim() !== "").join(": ")],
    ["Storage", engine?.storage ?? ""],
    ["Network", [engine?.bridge, engine?.subnet].filter(Boolean).join(", ")],
    ["Shared folder", sharedFolder],
    ["Notices that wait for the host", undeliveredNotices > 0 ? `${undeliveredNotices}` : ""],
  ] as const;
  return (
    <>
      <dl class="facts">
        {texts
          .filter(([, text]) => text !== "")
          .map(([name, text]) => (
            <Fact key={name} name={name}>
              {plainText(text)}
            </Fact>
          ))}
      </dl>
      {engine && engine.failureReason !== "" && (
        <div class="note error">
          <p>{sentence(engine.failureReason)}</p>
        </div>
      )}
    </>
  );
}

/** What on the guest is in the way of containers, with advice. */
export function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="card">
      <h2>What is in the way of its containers</h2>
      <ul class="rows">
        {problems.map(({ area, problem, advice }) => (
          <li key={`${area} ${problem}`}>
            <div>
              <p>{sentence(problem)}</p>
              <p class="quiet-text">{sentence(advice)}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
