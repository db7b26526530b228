// A crash capsule: what an actor was doing when it ended. Without an id: all of them.
import type { App, Page } from '../app.ts';
import { bytes, clock, count, exactMoment, typeName } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Capsule, CapsuleHead, Message } from '../core/types.ts';
import { segment } from '../net/api.ts';
import { h, replace } from '../ui/dom.ts';
import { actorLink, facts, hex, loading, panel, showFailure, table, time, wholeHex } from '../ui/parts.ts';

const messageTable = (messages: Message[]) =>
  table(
    [
      { title: 'Time', class: 'when', cell: (m) => h('time', { title: exactMoment(m.at_us) }, clock(m.at_us)) },
      { title: 'Type', cell: (m) => h('code', { title: m.type }, typeName(m.type)) },
      { title: 'Size', class: 'number', cell: (m) => bytes(m.size_bytes) },
      { title: 'From', cell: (m) => actorLink(m.sender) },
      { title: 'Fields', class: 'wide text', cell: (m) => h('code', {}, m.fields || '–') },
    ],
    messages,
    'None.',
  );

function whole(capsule: Capsule): Node[] {
  const before = capsule.failing ? capsule.messages.slice(0, -1) : capsule.messages;
  const text = JSON.stringify(capsule, null, 2);
  const link = h(
    'a',
    {
      class: 'button',
      href: URL.createObjectURL(new Blob([text], { type: 'application/json' })),
      download: `${capsule.id}.json`,
    },
    'Download',
  );
  return [
    h(
      'div',
      { class: 'columns' },
      panel(
        'What happened',
        facts([
          ['actor', actorLink(capsule.path)],
          ['incarnation', count(capsule.incarnation)],
          ['restarts', count(capsule.restart_count)],
          ['ended', time(capsule.at_us)],
          ['because', capsule.reason],
          ['capsule', wholeHex(capsule.id)],
        ]),
        link,
      ),
      panel(
        'Last state',
        capsule.state.length > 0
          ? facts(capsule.state.map(({ key, value }) => [key, value] as const))
          : h('p', { class: 'quiet' }, 'None was kept.'),
      ),
      panel('Child specification', facts(Object.entries(capsule.spec).map(([key, value]) => [key, String(value)] as const))),
    ),
    panel(
      'The message at which it ended',
      capsule.failing ? messageTable(capsule.messages.slice(-1)) : h('p', { class: 'quiet' }, 'It was not handling one.'),
    ),
    panel('The messages before', messageTable(before)),
  ];
}

const all = (heads: CapsuleHead[]) =>
  panel(
    'Crash capsules',
    table(
      [
        { title: 'Ended', class: 'when', cell: (c) => time(c.at_us) },
        { title: 'Actor', cell: (c) => actorLink(c.path) },
        { title: 'Inc.', class: 'number', cell: (c) => count(c.incarnation) },
        { title: 'Because', class: 'wide text', cell: (c) => c.reason },
        { title: 'Capsule', cell: (c) => h('a', { href: addressOf('capsule', c.id) }, hex(c.id)) },
      ],
      heads,
      'None: no actor has ended abnormally.',
    ),
  );

export function makeCapsulePage(app: App, id: string): Page {
  const body = h('div', { class: 'body' }, loading());
  const load =
    id === ''
      ? app.api.get<{ capsules: CapsuleHead[] }>('/v1/capsules').then(({ capsules }) => replace(body, all(capsules)))
      : app.api.get<Capsule>(`/v1/capsules/${segment(id)}`).then((capsule) => replace(body, whole(capsule)));
  load.catch((error: Error) => showFailure(body, error));
  const title = id === '' ? 'Crash capsules' : 'Crash capsule';
  const up = id === '' ? undefined : h('a', { href: addressOf('capsule') }, 'All capsules');
  return {
    title,
    topics: ['node'],
    element: h('div', { class: 'page' }, h('div', { class: 'heading' }, h('h1', {}, title), up), body),
  };
}
