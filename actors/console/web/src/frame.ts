// The frame around every page: navigation, the node's name, whether what is seen is live.
import type { App } from './app.ts';
import { share } from './core/format.ts';
import { addressOf, type PageName } from './core/route.ts';
import type { StreamState } from './net/stream.ts';
import { h, setClass, setText, svg } from './ui/dom.ts';
import { noticeRegion } from './ui/notice.ts';

const places: readonly { page: PageName; name: string; key: string }[] = [
  { page: 'tree', name: 'Actors', key: 'a' },
  { page: 'sessions', name: 'Sessions', key: 's' },
  { page: 'node', name: 'Node', key: 'n' },
  { page: 'cluster', name: 'Cluster', key: 'k' },
  { page: 'ledger', name: 'Ledger', key: 'l' },
  { page: 'letters', name: 'Letters', key: 'd' },
  { page: 'capsule', name: 'Capsules', key: 'c' },
  { page: 'audit', name: 'Audit', key: 'u' },
];
const belongsTo: Partial<Record<PageName, PageName>> = { actor: 'tree', session: 'sessions' };

const liveWords: Record<StreamState, string> = {
  connecting: 'connecting',
  live: 'live',
  paused: 'paused',
  lost: 'no connection',
};

/** 16 by 16: a filled and a drawn path. */
const icon = (filled: string, drawn: string) =>
  svg(
    'svg',
    { viewBox: '0 0 16 16', class: 'glyph', 'aria-hidden': 'true' },
    svg('path', { d: filled, class: 'filled' }),
    svg('path', { d: drawn, class: 'drawn' }),
  );

/** Owns everything outside of `<main>`. */
export class Frame {
  readonly main = h('main', { id: 'main', tabindex: -1 });
  private readonly links = new Map<PageName, HTMLAnchorElement>();
  private readonly name = h('span', { class: 'node-name' });
  private readonly live = h('span', { class: 'live connecting', role: 'status' }, 'connecting');
  private readonly load = h('span', { class: 'quiet load' });
  private readonly draining = h('span', { class: 'alarm', hidden: true }, 'draining');

  constructor(root: HTMLElement, on: { theme(): void; help(): void; leave(): void }) {
    const nav = h(
      'nav',
      { 'aria-label': 'Pages' },
      places.map(({ page, name, key }) => {
        const link = h('a', { href: addressOf(page), title: `g ${key}` }, name);
        this.links.set(page, link);
        return link;
      }),
    );
    root.replaceChildren(
      h(
        'a',
        {
          class: 'skip',
          href: '#main',
          onclick: (event: Event) => {
            event.preventDefault();
            this.main.focus();
          },
        },
        'Skip to the page',
      ),
      h(
        'header',
        { class: 'top' },
        h('a', { class: 'mark', href: addressOf('tree') }, 'Lucid'),
        this.name,
        this.draining,
        h('span', { class: 'spring' }),
        this.load,
        this.live,
        h(
          'button',
          { type: 'button', class: 'icon', title: 'Light or dark', 'aria-label': 'Light or dark', onclick: on.theme },
          icon('M8 1.5a6.5 6.5 0 1 0 0 13z', 'M8 1.5a6.5 6.5 0 0 1 0 13'),
        ),
        h('button', { type: 'button', class: 'icon', title: 'Keys', 'aria-label': 'Keys', onclick: on.help }, '?'),
        h(
          'button',
          { type: 'button', class: 'icon', title: 'Sign out', 'aria-label': 'Sign out', onclick: on.leave },
          icon('', 'M6 2H2.5v12H6M6.5 8H14M11 5l3 3-3 3'),
        ),
      ),
      nav,
      this.main,
      noticeRegion(),
    );
  }

  static shortcuts(go: (page: PageName) => void) {
    return places.map(({ page, name, key }) => ({ keys: `g ${key}`, what: `go to ${name}`, run: () => go(page) }));
  }

  at(page: PageName): void {
    for (const [name, link] of this.links)
      if (name === (belongsTo[page] ?? page)) {
        link.setAttribute('aria-current', 'page');
        // On a phone the row of pages is wider than the screen.
        link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      } else link.removeAttribute('aria-current');
  }

  showNode({ node }: App): void {
    setText(this.name, node.name ?? '');
    this.draining.hidden = !node.draining;
    if (node.cpu_share !== undefined) setText(this.load, `${share(node.cpu_share)} cpu`);
  }

  showStream(state: StreamState): void {
    setText(this.live, liveWords[state]);
    this.live.className = `live ${state}`;
    setClass(this.main, 'stale', state === 'lost');
  }
}
