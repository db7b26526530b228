// The supervision tree, live; or every actor in one sorted list.
import type { App, Page } from '../app.ts';
import {
  type Filter,
  flatRows,
  foldable,
  foldNewNodes,
  type Order,
  type Row,
  type SortKey,
  states,
  treeRows,
} from '../core/actor_list.ts';
import { plural } from '../core/format.ts';
import type { ActorState } from '../core/types.ts';
import { h, setText } from '../ui/dom.ts';
import { VirtualList } from '../ui/virtual_list.ts';
import { ActorRows, columns } from './actor_rows.ts';

/** What somebody set stays set while he looks at other pages. */
const remembered = {
  folded: new Set<string>(),
  nodesSeen: new Set<string>(),
  text: '',
  states: new Set<ActorState>(),
  flat: false,
  order: { by: 'mailbox', descending: true } as Order,
  selected: '',
};

class TreePage implements Page {
  readonly title = 'Actors';
  readonly topics = ['actors', 'node'];
  readonly element: HTMLElement;
  readonly shortcuts = [
    { keys: '/', what: 'filter', run: () => this.search.focus() },
    { keys: 't', what: 'tree or list', run: () => this.setFlat(!remembered.flat) },
    { keys: '[', what: 'fold all', run: () => this.foldAll(true) },
    { keys: ']', what: 'unfold all', run: () => this.foldAll(false) },
    { keys: 'c', what: 'clear the marks of restarts', run: () => this.clearMarks() },
  ];

  private rows: Row[] = [];
  private readonly list: VirtualList<Row>;
  private readonly drawn: ActorRows;
  private readonly summary = h('span', { class: 'quiet summary', role: 'status' });
  private readonly search = h('input', {
    type: 'search',
    placeholder: 'Filter by path or kind',
    'aria-label': 'Filter by path or kind',
    value: remembered.text,
    maxlength: 200,
    oninput: () => {
      remembered.text = this.search.value;
      this.refresh();
    },
  });
  private readonly viewport = h('div', {
    class: 'grid',
    role: 'treegrid',
    tabindex: 0,
    'aria-label': 'Actors',
    onkeydown: (event: KeyboardEvent) => this.key(event),
  });
  private readonly chips = new Map<ActorState, HTMLButtonElement>();
  private readonly heads = new Map<SortKey, HTMLElement>();
  private readonly treeButton = h('button', { type: 'button', onclick: () => this.setFlat(false) }, 'Tree');
  private readonly listButton = h('button', { type: 'button', onclick: () => this.setFlat(true) }, 'List');
  private readonly foldButton = h('button', { type: 'button', onclick: () => this.foldAll(true) }, 'Fold all');
  private readonly unfoldButton = h('button', { type: 'button', onclick: () => this.foldAll(false) }, 'Unfold all');
  private readonly marksButton = h('button', { type: 'button', onclick: () => this.clearMarks() }, 'Clear marks');

  constructor(private readonly app: App) {
    this.drawn = new ActorRows(app, { toggle: (path) => this.toggle(path), select: (path) => this.select(path) });
    this.viewport.append(this.head());
    this.list = new VirtualList(this.viewport, this.drawn);
    this.element = h(
      'div',
      { class: 'page tree-page' },
      h(
        'div',
        { class: 'toolbar' },
        this.search,
        h('div', { class: 'group', role: 'group', 'aria-label': 'View' }, this.treeButton, this.listButton),
        h(
          'div',
          { class: 'group chips', role: 'group', 'aria-label': 'States shown' },
          states.map((state) => this.chip(state)),
        ),
        h('div', { class: 'group' }, this.foldButton, this.unfoldButton, this.marksButton),
        this.summary,
      ),
      this.viewport,
    );
    this.refresh();
  }

  update(): void {
    this.refresh();
  }
  close(): void {
    this.list.close();
  }

  private chip(state: ActorState): HTMLElement {
    const button = h(
      'button',
      {
        type: 'button',
        class: 'chip',
        onclick: () => {
          if (!remembered.states.delete(state)) remembered.states.add(state);
          this.refresh();
        },
      },
      h('span', { class: `state ${state}` }, state),
      h('span', { class: 'number' }, '0'),
    );
    this.chips.set(state, button);
    return button;
  }

  private head(): HTMLElement {
    const cells = columns.map((column) => {
      const cell = h(
        'div',
        { role: 'columnheader', class: `cell ${column.class}` },
        h(
          'button',
          { type: 'button', title: `Sort by ${column.title.toLowerCase()}`, onclick: () => this.sort(column.key) },
          column.title,
        ),
      );
      this.heads.set(column.key, cell);
      return cell;
    });
    return h('div', { class: 'row head', role: 'row' }, cells);
  }

  private filter(): Filter {
    return { text: remembered.text, states: remembered.states };
  }

  private refresh(): void {
    const actors = this.app.actors.items;
    foldNewNodes(actors, remembered.nodesSeen, remembered.folded);
    this.rows = remembered.flat
      ? flatRows(actors, remembered.order, this.filter())
      : treeRows(actors, remembered.folded, this.filter());
    this.drawn.selected = remembered.selected;
    this.viewport.setAttribute('aria-rowcount', String(this.rows.length + 1));
    this.list.show(this.rows);
    this.showToolbar();
  }

  private showToolbar(): void {
    const counts = new Map<ActorState, number>();
    for (const actor of this.app.actors.items.values()) counts.set(actor.state_now, (counts.get(actor.state_now) ?? 0) + 1);
    for (const [state, chip] of this.chips) {
      setText(chip.lastElementChild!, String(counts.get(state) ?? 0));
      chip.setAttribute('aria-pressed', String(remembered.states.has(state)));
    }
    for (const [key, cell] of this.heads) {
      const sorted = remembered.flat && remembered.order.by === key;
      cell.setAttribute('aria-sort', !sorted ? 'none' : remembered.order.descending ? 'descending' : 'ascending');
    }
    this.treeButton.setAttribute('aria-pressed', String(!remembered.flat));
    this.listButton.setAttribute('aria-pressed', String(remembered.flat));
    this.foldButton.disabled = this.unfoldButton.disabled = remembered.flat;
    this.marksButton.disabled = this.app.marks.size === 0;
    const total = this.app.actors.items.size;
    const filtered = remembered.text.trim() !== '' || remembered.states.size > 0;
    setText(
      this.summary,
      filtered
        ? `${this.rows.filter((row) => row.matches).length} of ${plural(total, 'actor', 'actors')}`
        : plural(total, 'actor', 'actors'),
    );
  }

  private sort(by: SortKey): void {
    const same = remembered.flat && remembered.order.by === by;
    remembered.order = { by, descending: same ? !remembered.order.descending : by !== 'path' };
    this.setFlat(true);
  }

  private setFlat(flat: boolean): void {
    remembered.flat = flat;
    this.viewport.scrollTop = 0;
    this.refresh();
  }

  private toggle(path: string): void {
    if (!remembered.folded.delete(path)) remembered.folded.add(path);
    this.refresh();
  }

  private foldAll(fold: boolean): void {
    remembered.folded = new Set(fold ? foldable(this.app.actors.items) : []);
    this.refresh();
  }

  private clearMarks(): void {
    this.app.marks.clear();
    this.refresh();
  }

  private select(path: string): void {
    remembered.selected = path;
    this.refresh();
  }

  private move(to: number): void {
    const index = Math.min(this.rows.length - 1, Math.max(0, to));
    const row = this.rows[index];
    if (!row) return;
    this.list.reveal(index);
    this.select(row.path);
    this.viewport.setAttribute('aria-activedescendant', `row-${index}`);
  }

  /** The keys of a tree: up and down move, left and right fold, Enter opens. */
  private key(event: KeyboardEvent): void {
    if (event.target !== this.viewport || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = this.rows.findIndex(({ path }) => path === remembered.selected);
    const row = this.rows[at];
    const moves: Record<string, () => void> = {
      ArrowDown: () => this.move(at + 1),
      ArrowUp: () => this.move(at - 1),
      PageDown: () => this.move(at + this.list.rowsInView),
      PageUp: () => this.move(at - this.list.rowsInView),
      Home: () => this.move(0),
      End: () => this.move(this.rows.length - 1),
      ArrowLeft: () => row && this.outward(row),
      ArrowRight: () => row && this.inward(row, at),
      Enter: () => row && this.app.go('actor', row.path),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  private outward(row: Row): void {
    if (row.childCount > 0 && !row.folded) return this.toggle(row.path);
    const parent = this.app.actors.items.get(row.path)?.parent;
    const index = this.rows.findIndex(({ path }) => path === parent);
    if (index >= 0) this.move(index);
  }

  private inward(row: Row, at: number): void {
    if (row.folded) this.toggle(row.path);
    else if (row.childCount > 0) this.move(at + 1);
  }
}

export const makeTreePage = (app: App): Page => new TreePage(app);
