import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { type NoticeText, noticeText } from "../text/notice-text.ts";
import { plainText } from "../text/text.ts";

/**
 * Reads the events of one upgrade: among its lines are some that say how far it is, `== PERCENT % PHASE`, which count
 * until the next one. `say` is told once where all lines are.
 */
export function upgradeReader(say: (sentence: string) => void): (event: Event) => NoticeText | undefined {
  let phase = "";
  let percent: number | undefined;
  let isTold = false;
  return (event) => {
    const text = noticeText(event);
    if (event.notice.case !== "upgrade" || text?.state !== "going") return text;
    let last = "";
    for (const line of event.notice.value.progressMessages) {
      const far = /^== (\d{1,3}) % (.*)$/.exec(line);
      const path = isTold ? undefined : /; every line is in (\/.*)$/.exec(line)?.[1];
      if (far) {
        percent = Math.min(100, Number(far[1]));
        phase = plainText(far[2] ?? "");
      } else if (path) {
        say(`every line is in ${plainText(path)}, on the guest`);
        isTold = true;
      } else {
        last = plainText(line);
      }
    }
    const words = [phase, last].filter((part) => part !== "").join(" - ") || text.words;
    return { ...text, words, ...(percent !== undefined && { percent }) };
  };
}
