import { plainText } from "../../base/text.ts";
import { parsePhaseLine, parseUpgradeLog } from "../../base/upgrade-lines.ts";
import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { type NoticeText, noticeText } from "../../host/notice-text.ts";

/** Reads the events of one upgrade. Calls `onLog` once, with the path of the log on the guest. */
export function upgradeReader(onLog: (path: string) => void): (event: Event) => NoticeText | undefined {
  let phase = "";
  let percent: number | undefined;
  let log: string | undefined;
  return (event) => {
    const notice = noticeText(event);
    if (event.notice.case !== "upgrade" || notice?.state !== "going") return notice;
    let last = "";
    for (const line of event.notice.value.progressMessages) {
      const progress = parsePhaseLine(line);
      const path = log === undefined ? parseUpgradeLog(line) : undefined;
      if (progress) {
        percent = progress.percent;
        phase = plainText(progress.phase);
      } else if (path !== undefined) {
        log = plainText(path);
        onLog(log);
      } else {
        last = plainText(line);
      }
    }
    const text = [phase, last].filter((part) => part !== "").join(" - ") || notice.text;
    return { ...notice, text, ...(percent !== undefined && { percent }) };
  };
}
