// The console: signs in, keeps the stream, and shows the page that the address names.
import type { App, Page, PageMaker } from './app.ts';
import { RestartMarks, flashMs } from './core/restart_marks.ts';
import { addressOf, type PageName, readRoute } from './core/route.ts';
import { applyToObject, type Difference, DifferenceStore, type ObjectDifference } from './core/store.ts';
import type { Actor, NodeStatus, Session } from './core/types.ts';
import { Frame } from './frame.ts';
import { Api, type ApiError } from './net/api.ts';
import { Stream, type Topical } from './net/stream.ts';
import { makeActorPage } from './pages/actor_page.ts';
import { makeAuditPage } from './pages/audit_page.ts';
import { makeCapsulePage } from './pages/capsule_page.ts';
import { makeClusterPage } from './pages/cluster_page.ts';
import { makeLedgerPage } from './pages/ledger_page.ts';
import { makeLettersPage } from './pages/letters_page.ts';
import { makeNodePage } from './pages/node_page.ts';
import { makeSessionPage } from './pages/session_page.ts';
import { makeSessionsPage } from './pages/sessions_page.ts';
import { makeTreePage } from './pages/tree_page.ts';
import { h, replace } from './ui/dom.ts';
import { Shortcuts } from './ui/shortcuts.ts';
import { startTheme, toggleTheme } from './ui/theme.ts';

const intervalMs = 1_000;

const makers: Record<PageName, PageMaker> = {
  tree: makeTreePage,
  actor: makeActorPage,
  capsule: makeCapsulePage,
  node: makeNodePage,
  cluster: makeClusterPage,
  sessions: makeSessionsPage,
  session: makeSessionPage,
  ledger: makeLedgerPage,
  letters: makeLettersPage,
  audit: makeAuditPage,
};

const go = (page: PageName, of = '') => {
  location.hash = addressOf(page, of);
};

const streamAddress = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/stream`;
const app: App = {
  api: new Api(),
  stream: new Stream(streamAddress, intervalMs),
  actors: new DifferenceStore<Actor>(),
  sessions: new DifferenceStore<Session>(),
  marks: new RestartMarks(),
  node: {},
  go,
};

const frame = new Frame(document.getElementById('app')!, {
  theme: toggleTheme,
  help: () => shortcuts.help(),
  leave: () => void leave(),
});
const shortcuts = new Shortcuts([
  ...Frame.shortcuts(go),
  { keys: '?', what: 'these keys', run: () => shortcuts.help() },
  { keys: 'd', what: 'light or dark', run: toggleTheme },
]);
let page: Page | undefined;

function showPage(): void {
  page?.close?.();
  const route = readRoute(location.hash);
  page = makers[route.page](app, route.of);
  document.title = `${page.title} – Lucid`;
  shortcuts.ofPage(page.shortcuts ?? []);
  frame.at(route.page);
  frame.main.replaceChildren(page.element);
  frame.main.scrollTop = 0;
  app.stream.watch(page.topics);
}

/** Takes a message into what is kept; false if it cannot be true. */
function take(message: Topical): boolean {
  switch (message.topic) {
    case 'actors': {
      const applied = app.actors.apply(message as unknown as Difference<Actor>);
      if (!applied.good) return false;
      const nowMs = performance.now();
      let restarted = false;
      for (const path of applied.changed)
        restarted = app.marks.see(path, app.actors.items.get(path)!.restart_count, nowMs) || restarted;
      if (restarted) setTimeout(() => page?.update?.({ topic: 'flash-over' }), flashMs);
      return true;
    }
    case 'sessions':
      return app.sessions.apply(message as unknown as Difference<Session>).good;
    case 'node':
      applyToObject(app.node, message as unknown as ObjectDifference);
      frame.showNode(app);
      return true;
    default:
      return true; // What only one page shows is kept there.
  }
}

app.stream.onState = (state) => frame.showStream(state);
app.stream.onMessage = (message, arrivedMs) => {
  if (!take(message)) return app.stream.resync();
  page?.update?.(message);
  performance.measure(`update ${message.topic}`, { start: arrivedMs });
};

function signedOut(): void {
  app.stream.close();
  page?.close?.();
  page = undefined;
  replace(
    frame.main,
    h(
      'div',
      { class: 'signed-out' },
      h('h1', {}, 'Signed out'),
      h('p', {}, 'This browser is not signed in to the node, or was away for too long.'),
      h('p', {}, 'Run ', h('code', {}, 'lucid console open'), ' where the node runs, and follow the link it prints.'),
    ),
  );
}

async function leave(): Promise<void> {
  await app.api.post('/v1/logout').catch(() => undefined);
  signedOut();
}

async function start(): Promise<void> {
  startTheme();
  app.api.onSignedOut = signedOut;
  try {
    await app.api.signIn();
  } catch (error) {
    if ((error as ApiError).status !== 401)
      replace(
        frame.main,
        h('p', { class: 'failure', role: 'alert' }, `${(error as Error).message}. Load the page again when the node runs.`),
      );
    return;
  }
  app.stream.open();
  addEventListener('hashchange', showPage);
  showPage();
  Object.assign(app.node, await app.api.get<NodeStatus>('/v1/node').catch(() => ({})));
  frame.showNode(app);
}

void start();
