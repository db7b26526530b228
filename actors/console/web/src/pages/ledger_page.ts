// The chain: its blocks newest first, one block with its entries, and a search by session or hash.
import type { App, Page } from '../app.ts';
import { count } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Block, LedgerEntry } from '../core/types.ts';
import { segment } from '../net/api.ts';
import { h, replace } from '../ui/dom.ts';
import { facts, hex, loading, panel, sessionLink, showFailure, table, time, wholeHex } from '../ui/parts.ts';

const pageCount = 100;

/** What a search finds: entries, each with the block it stands in. */
interface Found {
  found: (LedgerEntry & { height: number; entry_index: number })[];
}

const blockTable = (blocks: Block[]) =>
  table(
    [
      {
        title: 'Block',
        class: 'number',
        cell: (b) => h('a', { href: addressOf('ledger', String(b.height)) }, count(b.height)),
      },
      { title: 'Time', class: 'when', cell: (b) => time(b.time_us) },
      { title: 'Slot', class: 'number', cell: (b) => count(b.slot) },
      { title: 'Entries', class: 'number', cell: (b) => count(b.entry_count) },
      { title: 'Hash', cell: (b) => hex(b.hash) },
      { title: 'Producer', class: 'wide', cell: (b) => hex(b.producer) },
    ],
    blocks,
    'The chain is empty: the node makes its first block when it starts.',
  );

const entryTable = (entries: LedgerEntry[]) =>
  table(
    [
      { title: 'Session', cell: (e) => sessionLink(e.session) },
      { title: 'Sealed', class: 'when', cell: (e) => time(e.sealed_us) },
      { title: 'Manifest hash', cell: (e) => hex(e.manifest) },
      { title: 'Root', class: 'wide', cell: (e) => hex(e.root) },
    ],
    entries,
    'None.',
  );

const oneBlock = (b: Block) => [
  panel(
    `Block ${count(b.height)}`,
    facts([
      ['time', time(b.time_us)],
      ['slot', count(b.slot)],
      ['hash', wholeHex(b.hash)],
      [
        'previous',
        b.height > 0
          ? h('a', { href: addressOf('ledger', String(b.height - 1)) }, wholeHex(b.previous))
          : wholeHex(b.previous),
      ],
      ['entries root', wholeHex(b.entries_root)],
      ['producer', wholeHex(b.producer)],
      ['signature', wholeHex(b.signature)],
    ]),
  ),
  panel(`${count(b.entry_count)} entries`, entryTable(b.entries ?? [])),
];

const foundTable = ({ found }: Found, wanted: string) =>
  panel(
    'Found',
    table(
      [
        {
          title: 'Block',
          class: 'number',
          cell: (f) => h('a', { href: addressOf('ledger', String(f.height)) }, count(f.height)),
        },
        { title: 'Entry', class: 'number', cell: (f) => count(f.entry_index) },
        { title: 'Session', cell: (f) => sessionLink(f.session) },
        { title: 'Sealed', class: 'when', cell: (f) => time(f.sealed_us) },
        { title: 'Manifest hash', cell: (f) => hex(f.manifest) },
        { title: 'Root', class: 'wide', cell: (f) => hex(f.root) },
      ],
      found,
      `Nothing in the chain begins with ${wanted.slice(0, 64)}.`,
    ),
  );

/** `of`: '' all blocks, digits up to 15 one height, anything else the beginning of an id or hash. */
export function makeLedgerPage(app: App, of: string): Page {
  const isHeight = /^\d{1,15}$/.test(of);
  const body = h('div', { class: 'body' }, loading());
  const input = h('input', {
    type: 'search',
    placeholder: 'Session id, manifest hash, root or block number',
    'aria-label': 'Search the chain',
    value: of,
    maxlength: 64,
  });
  const search = h(
    'form',
    {
      class: 'toolbar',
      role: 'search',
      onsubmit: (event: Event) => {
        event.preventDefault();
        app.go('ledger', input.value.trim().toLowerCase());
      },
    },
    input,
    h('button', { class: 'primary' }, 'Search'),
    of === '' ? undefined : h('a', { class: 'button', href: addressOf('ledger') }, 'All blocks'),
  );

  const blocks: Block[] = [];
  const older = h('button', { type: 'button', onclick: () => void load() }, 'Older blocks');
  async function load(): Promise<void> {
    const before = blocks.at(-1)?.height;
    const told = await app.api.get<{ blocks: Block[] }>(
      `/v1/ledger?count=${pageCount}${before === undefined ? '' : `&before=${before}`}`,
    );
    blocks.push(...told.blocks);
    replace(
      body,
      panel('Blocks', blockTable(blocks)),
      blocks.at(-1)?.height ? h('div', { class: 'buttons' }, older) : undefined,
    );
  }
  const loadOne = async () => replace(body, oneBlock(await app.api.get<Block>(`/v1/ledger/${of}`)));
  const loadFound = async () =>
    replace(body, foundTable(await app.api.get<Found>(`/v1/ledger/search?q=${segment(of)}`), of));
  (of === '' ? load() : isHeight ? loadOne() : loadFound()).catch((error: Error) => showFailure(body, error));

  return {
    title: isHeight ? `Block ${of}` : 'Ledger',
    topics: ['node'],
    element: h('div', { class: 'page' }, h('div', { class: 'heading' }, h('h1', {}, 'Ledger')), search, body),
    shortcuts: [{ keys: '/', what: 'search', run: () => input.focus() }],
  };
}
