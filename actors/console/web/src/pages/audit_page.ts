// What was done to the node, by whom, and with what outcome: the hash-chained log.
import type { App, Page } from '../app.ts';
import { count, sentence, shortPath } from '../core/format.ts';
import type { AuditEntry } from '../core/types.ts';
import { h, replace } from '../ui/dom.ts';
import { hex, loading, panel, showFailure, table, time } from '../ui/parts.ts';

const pageCount = 200;

/** Any other outcome says why it did not. */
const wentWell = ({ outcome }: AuditEntry) => outcome === 'begun' || outcome === 'done';

const entryTable = (entries: AuditEntry[]) =>
  table(
    [
      { title: 'No.', class: 'number', cell: (e) => count(e.number) },
      { title: 'Time', class: 'when', cell: (e) => time(e.at_us) },
      { title: 'Operator', cell: (e) => e.operator },
      {
        title: 'Action',
        class: 'wide text',
        cell: (e) =>
          h(
            'div',
            {},
            h('strong', {}, e.action),
            ' ',
            h('code', { title: e.target }, shortPath(e.target)),
            e.consequence === '' ? '' : h('div', { class: 'quiet' }, sentence(e.consequence)),
            wentWell(e) ? '' : h('div', { class: 'alarm' }, sentence(e.outcome)),
          ),
      },
      {
        title: 'Outcome',
        cell: (e) => (wentWell(e) ? h('span', { class: 'quiet' }, e.outcome) : h('span', { class: 'alarm' }, 'failed')),
      },
      { title: 'Hash', cell: (e) => hex(e.hash) },
    ],
    entries,
    'Nothing has been done yet.',
  );

export function makeAuditPage(app: App): Page {
  const body = h('div', { class: 'body' }, loading());
  const entries: AuditEntry[] = [];
  const older = h('button', { type: 'button', onclick: () => void load() }, 'Older entries');
  async function load(): Promise<void> {
    const last = entries.at(-1);
    const told = await app.api.get<{ entries: AuditEntry[]; intact: boolean }>(
      `/v1/audit?count=${pageCount}${last ? `&before=${last.number}` : ''}`,
    );
    entries.push(...told.entries);
    replace(
      body,
      h(
        'p',
        { class: told.intact ? 'verdict good' : 'verdict alarm', role: 'status' },
        told.intact
          ? 'Intact: every entry is signed and linked to the one before it.'
          : 'NOT INTACT: an entry was changed, removed or put in. Keep the file and find out who could write it.',
      ),
      panel('Audit log', entryTable(entries)),
      told.entries.length === pageCount ? h('div', { class: 'buttons' }, older) : undefined,
    );
  }
  load().catch((error: Error) => showFailure(body, error));
  return {
    title: 'Audit',
    topics: ['node'],
    element: h('div', { class: 'page' }, h('div', { class: 'heading' }, h('h1', {}, 'Audit')), body),
  };
}
