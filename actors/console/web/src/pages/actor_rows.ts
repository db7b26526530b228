// One row of the tree or list: its cells, filled again and again.
import type { App } from '../app.ts';
import type { Row, SortKey } from '../core/actor_list.ts';
import { count, nanoseconds, rate, share, shortPath } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Actor } from '../core/types.ts';
import { h, setClass, setText } from '../ui/dom.ts';
import type { RowMaker } from '../ui/virtual_list.ts';

export interface ActorColumn {
  key: SortKey;
  title: string;
  class: string;
}

export const columns: readonly ActorColumn[] = [
  { key: 'path', title: 'Actor', class: 'name' },
  { key: 'state', title: 'State', class: 'state-cell' },
  { key: 'mailbox', title: 'Mailbox', class: 'number mailbox' },
  { key: 'rate', title: 'Msg/s', class: 'number rate' },
  { key: 'busy', title: 'Busy', class: 'number busy' },
  { key: 'slowest', title: 'p99', class: 'number slowest' },
  { key: 'incarnation', title: 'Inc.', class: 'number incarnation' },
  { key: 'restarts', title: 'Restarts', class: 'number restarts' },
  { key: 'letters', title: 'Dead', class: 'number letters' },
];

interface Cells {
  row: HTMLElement;
  name: HTMLElement;
  fold: HTMLButtonElement;
  link: HTMLAnchorElement;
  parents: HTMLElement;
  own: HTMLElement;
  note: HTMLElement;
  state: HTMLElement;
  values: HTMLElement[];
  bar: HTMLElement;
  path: string;
}

const longMailbox = 100; // A queue worth a look.
const busyShare = 0.9;

const values: readonly ((actor: Actor) => string)[] = [
  (a) => count(a.mailbox_length),
  (a) => rate(a.rate),
  (a) => share(a.busy_share),
  (a) => nanoseconds(a.handler_ns.p99),
  (a) => count(a.incarnation),
  (a) => count(a.restart_count),
  (a) => count(a.dead_letter_count),
];

export class ActorRows implements RowMaker<Row> {
  selected = '';
  private readonly cells = new WeakMap<HTMLElement, Cells>();

  constructor(
    private readonly app: App,
    private readonly on: { toggle(path: string): void; select(path: string): void },
  ) {}

  make(): HTMLElement {
    const fold = h('button', { type: 'button', class: 'fold', tabindex: -1 });
    // Where there is little room, the beginning of a path is cut: the actor's own name stands at its end.
    const parents = h('span', { class: 'parents' });
    const own = h('span', { class: 'own' });
    const link = h('a', { tabindex: -1 }, parents, own);
    const note = h('span', { class: 'note' });
    const name = h('div', { class: 'cell name', role: 'gridcell' }, fold, link, note);
    const state = h('span', {});
    const bar = h('i', { class: 'bar', 'aria-hidden': 'true' });
    const numbers = columns.slice(2).map((column) => h('div', { class: `cell ${column.class}`, role: 'gridcell' }));
    const texts = numbers.map((cell) => {
      const text = h('span', {});
      cell.append(text);
      return text;
    });
    numbers[2]!.prepend(bar);
    const row = h(
      'div',
      { class: 'row', role: 'row' },
      name,
      h('div', { class: 'cell state-cell', role: 'gridcell' }, state),
      numbers,
    );
    const cells: Cells = { row, name, fold, link, parents, own, note, state, values: texts, bar, path: '' };
    fold.addEventListener('click', () => this.on.toggle(cells.path));
    row.addEventListener('click', (event) => {
      if (event.target !== fold) this.on.select(cells.path);
    });
    row.addEventListener('dblclick', () => this.app.go('actor', cells.path));
    this.cells.set(row, cells);
    return row;
  }

  fill(element: HTMLElement, row: Row, index: number): void {
    const cells = this.cells.get(element)!;
    const actor = this.app.actors.items.get(row.path);
    if (!actor) return;
    this.fillName(cells, row, actor);
    element.id = `row-${index}`;
    element.setAttribute('aria-rowindex', String(index + 2));
    element.setAttribute('aria-level', String(row.depth + 1));
    element.setAttribute('aria-selected', String(row.path === this.selected));
    if (row.childCount > 0) element.setAttribute('aria-expanded', String(!row.folded));
    else element.removeAttribute('aria-expanded');
    setClass(element, 'faint', !row.matches);
    setClass(element, 'flash', this.app.marks.flashes(row.path, performance.now()));
    setText(cells.state, actor.state_now);
    cells.state.className = `state ${actor.state_now}`;
    for (const [i, text] of cells.values.entries()) setText(text, values[i]!(actor));
    this.fillAlarms(cells, actor);
  }

  private fillName(cells: Cells, row: Row, actor: Actor): void {
    if (cells.path !== row.path) {
      cells.path = row.path;
      cells.link.href = addressOf('actor', row.path);
      cells.link.title = row.path;
    }
    cells.name.style.setProperty('--depth', String(row.depth));
    const shown = shortPath(row.name);
    const cut = shown.lastIndexOf('/') + 1;
    setText(cells.parents, shown.slice(0, cut));
    setText(cells.own, shown.slice(cut));
    cells.fold.style.visibility = row.childCount > 0 ? 'visible' : 'hidden';
    setText(cells.fold, row.folded ? '▸' : '▾');
    cells.fold.setAttribute('aria-label', row.folded ? 'Unfold' : 'Fold');
    const kind = actor.supervisor ? (actor.strategy ?? 'supervisor') : '';
    setText(cells.note, row.folded ? `${kind}  +${row.below}${row.alarm ? `, one ${row.alarm}` : ''}` : kind);
    setClass(cells.note, 'alarm', row.alarm !== undefined);
  }

  private fillAlarms(cells: Cells, actor: Actor): void {
    const mark = this.app.marks.of(actor.path);
    cells.bar.style.setProperty('--share', String(Math.min(1, actor.busy_share)));
    setClass(cells.values[0]!, 'alarm', actor.mailbox_length >= longMailbox);
    setClass(cells.values[2]!, 'alarm', actor.busy_share >= busyShare);
    setClass(cells.values[5]!, 'marked', mark !== undefined);
    cells.values[5]!.title = mark ? `restarted ${mark.restarts} × while you watched` : '';
    setClass(cells.values[6]!, 'alarm', actor.dead_letter_count > 0);
  }
}
