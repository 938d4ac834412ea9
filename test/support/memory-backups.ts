import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

type Handlers = Partial<ServiceImpl<typeof Tremplin>>;

/** Of larger backups only the size is remembered. */
const MAX_TOLD = 1024 * 1024;

/** Exports and imports containers. */
export function backupHandlers(guest: MemoryGuest): Handlers {
  return {
    exportContainer: ({ containerName, exportPath }) => {
      if (!guest.containers.has(containerName)) {
        return { status: 2, failureReason: `there is no container ${containerName}` };
      }
      guest.begin("export", containerName, async () => {
        const total = { totalInputFiles: 10, totalInputBytes: 2048n };
        const half = { inputFilesStreamed: 5, inputBytesStreamed: 1024n, bytesExported: 512n };
        await guest.notify("updateExportStatus", { containerName, status: 7, ...total, ...half });
        await guest.gateOrCancel();
        if (exportPath.startsWith("/") && !guest.fault) {
          await writeFile(exportPath, `a backup of ${containerName}`);
          if (guest.backupBytes > 0) await truncate(exportPath, guest.backupBytes);
        }
        const done = { status: 1, bytesExported: 1024n, failureReason: guest.remark };
        await guest.notify("updateExportStatus", {
          containerName,
          ...total,
          ...guest.outcome(done, { status: 2 }, 8),
        });
      });
      guest.asked.push(`to ${exportPath}`);
      return { status: 1 };
    },
    cancelExportContainer: (_request, context) => guest.cancel(context),
    importContainer: ({ containerName, importPath }) => {
      guest.begin("import", containerName, async () => {
        await guest.notify("updateImportStatus", { containerName, status: 3, progressPercent: 50 });
        await guest.notify("updateImportStatus", {
          containerName,
          status: 4,
          progressPercent: 10,
          progressSpeed: 2048n,
        });
        await guest.gateOrCancel();
        const { size } = await stat(importPath).catch(() => ({ size: 0 }));
        if (size > 0) {
          const text = size > MAX_TOLD ? `${size} bytes` : await readFile(importPath, "utf8");
          guest.asked.push(`read ${text}`);
        }
        if (!guest.fault) guest.containers.set(containerName, "stopped");
        await guest.notify("updateImportStatus", {
          containerName,
          ...guest.outcome({ status: 1 }, { status: 2 }, 7),
        });
      });
      guest.asked.push(`from ${importPath}`);
      return { status: 1 };
    },
    cancelImportContainer: (_request, context) => guest.cancel(context),
  };
}
