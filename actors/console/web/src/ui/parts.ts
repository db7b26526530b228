// Small parts that several pages are made of.
import { exactMoment, moment, shortId, shortPath } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { ActorState } from '../core/types.ts';
import { h, replace } from './dom.ts';

type Content = string | Node;

/** A titled box. `aside` stands at the right of the title. */
export function panel(title: string, body: Content | Content[], aside?: Content): HTMLElement {
  return h(
    'section',
    { class: 'panel', 'aria-label': title },
    h('header', {}, h('h2', {}, title), aside ? h('div', { class: 'aside' }, aside) : undefined),
    body,
  );
}

/** Names and values, aligned. */
export function facts(rows: readonly (readonly [string, Content])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
}

export interface Column<T> {
  title: string;
  class?: string;
  cell(item: T): Content;
}

/** A plain table that scrolls sideways inside its box, never with the page. */
export function table<T>(columns: Column<T>[], items: readonly T[], empty: string): HTMLElement {
  if (items.length === 0) return h('p', { class: 'quiet' }, empty);
  const head = columns.map((column) => h('th', { scope: 'col', class: column.class }, column.title));
  const body = items.map((item) =>
    h(
      'tr',
      {},
      columns.map((column) => h('td', { class: column.class, 'data-title': column.title }, column.cell(item))),
    ),
  );
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'table' },
    h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)),
  );
}

export const time = (microseconds: number) =>
  microseconds > 0
    ? h('time', { datetime: exactMoment(microseconds), title: exactMoment(microseconds) }, moment(microseconds))
    : h('span', {}, 'never');

export const hex = (value: string) => h('code', { class: 'hex', title: value }, shortId(value));
export const wholeHex = (value: string) => h('code', { class: 'hex whole' }, value);
export const actorLink = (path: string) =>
  path === ''
    ? h('span', { class: 'quiet' }, 'outside')
    : h('a', { href: addressOf('actor', path), title: path }, shortPath(path));
export const sessionLink = (id: string) => h('a', { href: addressOf('session', id), class: 'hex', title: id }, shortId(id));

/** State as a word with a mark before it: never by colour alone. */
export const stateMark = (state: ActorState | string) => h('span', { class: `state ${state}` }, state);

/** 0 .. 1 as a bar with words for those who do not see it. */
export function meter(value: number, label: string, alarmAt = 0.9): HTMLElement {
  const bar = h('meter', {
    min: 0,
    max: 1,
    high: alarmAt,
    optimum: 0,
    value: Math.min(1, Math.max(0, value)),
    'aria-label': label,
  });
  return bar;
}

/** What a page shows until its first answer is there, and if there is none. */
export function loading(): HTMLElement {
  return h('p', { class: 'quiet loading' }, 'Loading …');
}
export function showFailure(into: HTMLElement, error: Error): void {
  replace(into, h('p', { class: 'failure', role: 'alert' }, error.message));
}
