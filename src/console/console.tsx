import { useEffect, useRef, useState } from "preact/hooks";
import { plainText } from "../base/text.ts";
import { signOut } from "./api/host.ts";
import { Say, useShown } from "./api/use-live.ts";
import { AddGuestPage } from "./pages/add-guest.tsx";
import { ContainerPage } from "./pages/container.tsx";
import { CreatePage } from "./pages/create.tsx";
import { DebugPage } from "./pages/debug.tsx";
import { GuestPage } from "./pages/guest.tsx";
import { GuestsPage } from "./pages/guests.tsx";
import { HistoryPage } from "./pages/history.tsx";
import { LogPage } from "./pages/log.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { RestorePage } from "./pages/restore.tsx";
import { TerminalPage } from "./pages/terminal.tsx";
import { ConnectionNote, ConnectionState, SignedOut } from "./parts/connection.tsx";
import { type Message, Messages } from "./parts/messages.tsx";
import { TransferCard } from "./parts/transfer.tsx";
import { linkTo, type Route, useRoute } from "./route.ts";

/** The frame of all pages. */
export function Console() {
  const route = useRoute();
  const { connection } = useShown();
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const say = ({ kind, text }: Omit<Message, "id">): void =>
    setMessages((all) =>
      [...all.filter((each) => each.text !== text), { id: nextId++, kind, text }].slice(-4),
    );
  const main = useFocusOnNewPage(route);
  if (connection.kind === "signed-out") return <SignedOut />;
  return (
    <Say.Provider value={say}>
      <button type="button" class="button skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={linkTo()}>
          Tremplin
        </a>
        <nav aria-label="Pages">
          <PageLink page="overview" route={route} href={linkTo()}>
            Containers
          </PageLink>
          <PageLink page="guests" route={route} href={linkTo("guests")}>
            Guests
          </PageLink>
          <PageLink page="history" route={route} href={linkTo("history")}>
            History
          </PageLink>
        </nav>
        <ConnectionState />
        <button type="button" class="button quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <main id="main" tabIndex={-1} ref={main} class={connection.kind === "live" ? "" : "stale"}>
        <ConnectionNote />
        <Messages
          messages={messages}
          onClose={(id) => setMessages((all) => all.filter((each) => each.id !== id))}
        />
        <TransferCard />
        <Page route={route} />
      </main>
    </Say.Provider>
  );
}

let nextId = 1;

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "overview":
      return <OverviewPage />;
    case "history":
      return <HistoryPage />;
    case "guests":
      return <GuestsPage />;
    case "add-guest":
      return <AddGuestPage />;
    case "guest":
      return <GuestPage key={route.guest} name={route.guest} />;
    case "debug":
      return <DebugPage key={route.guest} guest={route.guest} />;
    case "log":
      return <LogPage key={`${route.guest}/${route.name}`} guest={route.guest} name={route.name} />;
    case "terminal":
      return <TerminalPage key={`${route.guest}/${route.name}`} guest={route.guest} name={route.name} />;
    case "create":
      return <CreatePage key={route.guest} guest={route.guest} />;
    case "restore":
      return <RestorePage key={route.guest} guest={route.guest} />;
    case "container":
      return <ContainerPage key={`${route.guest}/${route.name}`} guest={route.guest} name={route.name} />;
    case "unknown":
      return (
        <section class="empty">
          <h1>There is no such page</h1>
          <p>
            <a href={linkTo()}>All containers</a> are where everything begins.
          </p>
        </section>
      );
  }
}

interface PageLinkProps {
  readonly page: Route["page"];
  readonly route: Route;
  readonly href: string;
  readonly children: string;
}

function PageLink({ page, route, href, children }: PageLinkProps) {
  return (
    <a href={href} aria-current={route.page === page ? "page" : undefined}>
      {children}
    </a>
  );
}

function titleOf(route: Route): string {
  switch (route.page) {
    case "overview":
      return "Containers";
    case "history":
      return "History";
    case "guests":
      return "Guests";
    case "add-guest":
      return "Add a guest";
    case "guest":
      return route.guest;
    case "debug":
      return `Debug information of ${route.guest}`;
    case "log":
      return `Log of ${route.name}`;
    case "terminal":
      return `Terminal of ${route.name}`;
    case "create":
      return "New container";
    case "restore":
      return "Import a backup";
    case "container":
      return route.name;
    case "unknown":
      return "No such page";
  }
}

/** The keyboard goes on in the new page, and a screen reader says its name. */
function useFocusOnNewPage(route: Route) {
  const main = useRef<HTMLElement>(null);
  const shown = JSON.stringify(route);
  const before = useRef(shown);
  useEffect(() => {
    document.title = `${plainText(titleOf(route))} – Tremplin`;
    if (before.current !== shown) main.current?.focus();
    before.current = shown;
  }, [shown]);
  return main;
}
