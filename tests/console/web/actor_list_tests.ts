// The rows of tree and list: folding, filtering, sorting.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Filter, flatRows, foldable, foldNewNodes, otherNodeOf, treeRows } from '../../../actors/console/web/src/core/actor_list.ts';
import type { Actor, ActorState } from '../../../actors/console/web/src/core/types.ts';

function actor(path: string, parent: string, more: Partial<Actor> = {}): Actor {
  return {
    path,
    parent,
    position: 0,
    kind: path.split('/').at(-1)!,
    supervisor: false,
    restart_kind: 'permanent',
    significant: false,
    shutdown_timeout_ms: 1000,
    state_now: 'running',
    incarnation: 1,
    present: true,
    answered: true,
    started_us: 1,
    mailbox_length: 0,
    handled_count: 0,
    rate: 0,
    busy_share: 0,
    running_ns: 0,
    restart_count: 0,
    dead_letter_count: 0,
    handler_ns: { p50: 0, p90: 0, p99: 0, max: 0 },
    handler_by_type: [],
    senders: [],
    handled: {},
    state: {},
    restarts: [],
    ...more,
  };
}

const node = new Map(
  [
    actor('root', '', { supervisor: true }),
    actor('storage', 'root', { supervisor: true }),
    actor('storage/store', 'storage', { position: 0, mailbox_length: 4 }),
    actor('storage/ledger', 'storage', { position: 1 }),
    actor('storage/anchor', 'storage', { position: 2, restart_count: 3 }),
    actor('sessions', 'root', { supervisor: true }),
    actor('sessions/s10', 'sessions'),
    actor('sessions/s9', 'sessions', { state_now: 'waiting' as ActorState, mailbox_length: 4 }),
  ].map((one) => [one.path, one]),
);
const everything: Filter = { text: '', states: new Set() };
const paths = (rows: { path: string }[]) => rows.map(({ path }) => path);

test("the tree stands in the supervisors' order, and numbers in names count as numbers", () => {
  const rows = treeRows(node, new Set(), everything);
  assert.deepEqual(paths(rows), [
    'root',
    'sessions',
    'sessions/s9',
    'sessions/s10',
    'storage',
    'storage/store',
    'storage/ledger',
    'storage/anchor',
  ]);
  assert.deepEqual(
    rows.map(({ depth }) => depth),
    [0, 1, 2, 2, 1, 2, 2, 2],
  );
  assert.equal(rows[2]!.name, 's9');
});

test('a folded subtree is one row that says how many it hides and that one is not well', () => {
  const row = treeRows(node, new Set(['sessions']), everything)[1]!;
  assert.deepEqual([row.path, row.folded, row.below, row.alarm], ['sessions', true, 2, 'waiting']);
  assert.equal(treeRows(node, new Set(['storage']), everything).find(({ path }) => path === 'storage')!.alarm, undefined);
});

test('a filter keeps what matches and what leads there, and unfolds it', () => {
  const rows = treeRows(node, new Set(['root', 'storage']), { text: 'LEDG', states: new Set() });
  assert.deepEqual(paths(rows), ['root', 'storage', 'storage/ledger']);
  assert.deepEqual(
    rows.map(({ matches }) => matches),
    [false, false, true],
  );
});

test('words must all occur, states are one of those chosen', () => {
  assert.deepEqual(paths(flatRows(node, { by: 'path', descending: false }, { text: 'sto anch', states: new Set() })), [
    'storage/anchor',
  ]);
  assert.deepEqual(paths(flatRows(node, { by: 'path', descending: false }, { text: '', states: new Set(['waiting']) })), [
    'sessions/s9',
  ]);
  assert.deepEqual(treeRows(node, new Set(), { text: 'nothing such', states: new Set() }), []);
});

test('the list sorts by any column, equal ones by path whatever the direction', () => {
  const by = (descending: boolean) => paths(flatRows(node, { by: 'mailbox', descending }, everything));
  assert.deepEqual(by(true).slice(0, 2), ['sessions/s9', 'storage/store']);
  assert.deepEqual(by(false).slice(-2), ['sessions/s9', 'storage/store']);
  assert.equal(paths(flatRows(node, { by: 'restarts', descending: true }, everything))[0], 'storage/anchor');
});

test('whoever lost his parent stays in view, and a circle of parents ends', () => {
  const odd = new Map([actor('a/b', 'a'), actor('x', 'y'), actor('y', 'x')].map((one) => [one.path, one]));
  assert.deepEqual(paths(treeRows(odd, new Set(), everything)), ['a/b']);
});

test('all but the root can be folded at once', () => {
  assert.deepEqual(foldable(node).sort(), ['sessions', 'storage']);
});

test('ten thousand actors are laid out, each once', () => {
  const many = new Map(
    [actor('root', '')]
      .concat(
        Array.from({ length: 10_000 }, (_, i) => actor(`g${i % 100}/a${i}`, i < 100 ? 'root' : `g${i % 100}/a${i % 100}`)),
      )
      .map((one) => [one.path, one]),
  );
  const began = performance.now();
  assert.equal(treeRows(many, new Set(), everything).length, many.size);
  assert.equal(flatRows(many, { by: 'mailbox', descending: true }, everything).length, many.size);
  if (process.env.CHECK_TIMES) assert.ok(performance.now() - began < 100);
});

const cluster = new Map(
  [
    ...node.values(),
    actor('nodes/b', 'root', { supervisor: true }),
    actor('nodes/b/storage', 'nodes/b', { supervisor: true }),
    actor('nodes/b/storage/store', 'nodes/b/storage', { state_now: 'waiting' }),
    actor('nodes/a', 'root', { supervisor: true }),
    actor('nodes/a/storage', 'nodes/a', { supervisor: true }),
  ].map((one) => [one.path, one]),
);

test('other nodes stand at the top behind this one, and begin folded', () => {
  const seen = new Set<string>();
  const folded = new Set<string>();
  foldNewNodes(cluster, seen, folded);
  const rows = treeRows(cluster, folded, { text: '', states: new Set() });
  const tops = rows.filter(({ depth }) => depth === 0);
  assert.deepEqual(
    tops.map(({ path, folded: isFolded, below, alarm }) => [path, isFolded, below, alarm]),
    [
      ['root', false, 7, undefined],
      ['nodes/a', true, 1, undefined],
      ['nodes/b', true, 2, 'waiting'],
    ],
  );
  folded.delete('nodes/b');
  foldNewNodes(cluster, seen, folded);
  const opened = treeRows(cluster, folded, { text: '', states: new Set() });
  assert.deepEqual(
    opened.slice(-3).map(({ name, depth }) => [name, depth]),
    [
      ['nodes/b', 0],
      ['storage', 1],
      ['store', 2],
    ],
    'what somebody opened stays open',
  );
  assert.ok(foldable(cluster).includes('nodes/a'));
});

test('a path tells the node that it is on', () => {
  assert.deepEqual(
    ['nodes/a', 'nodes/a/storage/store', 'storage/store', 'nodes', 'anodes/a'].map(otherNodeOf),
    ['a', 'a', '', '', ''],
  );
});
