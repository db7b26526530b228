// Messages to nobody, and input that was refused.
import type { App, Page } from '../app.ts';
import { count } from '../core/format.ts';
import { applyToObject, type ObjectDifference } from '../core/store.ts';
import type { Letters } from '../core/types.ts';
import type { Topical } from '../net/stream.ts';
import { h } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { actorLink, loading, panel, showFailure, table, time } from '../ui/parts.ts';

const dead = ({ dead_letters }: Letters) =>
  table(
    [
      { title: 'To', class: 'wide', cell: (d) => actorLink(d.path) },
      { title: 'Messages', class: 'number', cell: (d) => count(d.count) },
    ],
    [...dead_letters].sort((a, b) => b.count - a.count),
    'None: every message found somebody.',
  );

const refused = ({ refusals }: Letters) =>
  table(
    [
      { title: 'Last', class: 'when', cell: (r) => time(r.at_us) },
      { title: 'Kind', cell: (r) => r.kind },
      { title: 'From', cell: (r) => h('code', {}, r.source) },
      { title: 'Times', class: 'number', cell: (r) => count(r.count) },
      { title: 'What', class: 'wide text', cell: (r) => r.what },
    ],
    refusals,
    'None: no input was refused.',
  );

export function makeLettersPage(app: App): Page {
  const letters = h('div', {}, loading());
  const refusals = h('div', {}, loading());
  const kept: Record<string, unknown> = {};
  let drawn = '';
  const show = (told: Letters) => {
    const shown = JSON.stringify([told.dead_letters, told.refusals]);
    if (shown === drawn) return;
    drawn = shown;
    morphInto(letters, dead(told));
    morphInto(refusals, refused(told));
  };
  app.api.get<Letters>('/v1/letters').then(show, (error: Error) => showFailure(letters, error));
  return {
    title: 'Letters',
    topics: ['letters', 'node'],
    element: h(
      'div',
      { class: 'page' },
      h('div', { class: 'heading' }, h('h1', {}, 'Dead letters and refusals')),
      panel('Dead letters: messages to nobody', letters),
      panel('Refusals: input that was turned away', refusals),
    ),
    update: (message: Topical) => {
      if (message.topic !== 'letters') return;
      applyToObject(kept, message as unknown as ObjectDifference);
      show({ dead_letters: [], refusals: [], ...kept } as Letters);
    },
  };
}
