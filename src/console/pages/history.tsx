import { useShown } from "../api/use-live.ts";
import { OperationList } from "../parts/operation.tsx";

/** What was done with all containers. */
export function HistoryPage() {
  const { operations, guests } = useShown();
  return (
    <>
      <h1>History</h1>
      <p class="lead">What was done with the containers, the newest first.</p>
      {guests && <OperationList operations={operations} withNames />}
    </>
  );
}
