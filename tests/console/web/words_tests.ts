// Numbers, times, addresses and the flow picture.
import assert from 'node:assert/strict';
import test from 'node:test';
import { conditions, layOut } from '../../../actors/console/web/src/core/flow_picture.ts';
import * as format from '../../../actors/console/web/src/core/format.ts';
import { addressOf, readRoute } from '../../../actors/console/web/src/core/route.ts';
import type { Stage } from '../../../actors/console/web/src/core/types.ts';

test('sizes have three digits and a unit', () => {
  const told = [0, 999, 1000, 1536, 102_400, 10 << 20, 2 ** 40].map(format.bytes);
  assert.deepEqual(told, ['0 B', '999 B', '1.0 KiB', '1.5 KiB', '100 KiB', '10.0 MiB', '1.0 TiB']);
});

test('times of handlers go from nanoseconds to seconds', () => {
  assert.deepEqual([0, 850, 12_345, 4_560_000, 3.21e9].map(format.nanoseconds), [
    '0',
    '850 ns',
    '12.3 µs',
    '4.56 ms',
    '3.21 s',
  ]);
});

test('durations name their two greatest units', () => {
  assert.deepEqual([0, 59e6, 61e6, 3723e6, 90_000e6, -5e6].map(format.duration), [
    '0 s',
    '59 s',
    '1 min 01 s',
    '1 h 02 min',
    '1 d 01 h',
    '0 s',
  ]);
  assert.deepEqual([0, 7.9, 3723].map(format.position), ['0:00', '0:07', '1:02:03']);
});

test('moments are told in the zone of the reader', () => {
  assert.equal(format.moment(1_704_067_200_000_000, 'UTC'), '2024-01-01 00:00:00');
  assert.equal(format.moment(1_704_067_200_000_000, 'Europe/Berlin'), '2024-01-01 01:00:00');
  assert.equal(format.moment(0), 'never');
  assert.equal(format.clock(1_704_067_200_042_000, 'UTC'), '00:00:00.042');
});

test('shares, rates and counts', () => {
  assert.deepEqual([0, 0.1234, 1].map(format.share), ['0.0 %', '12.3 %', '100 %']);
  assert.deepEqual([0, 0.42, 12.6, 1204].map(format.rate), ['0', '0.4', '13', '1,204']);
  assert.equal(format.plural(1, 'child', 'children'), '1 child');
  assert.equal(format.shortPath(`sessions/${'3f'.repeat(32)}/seal`), 'sessions/3f3f3f3f3f3f/seal');
});

test('an address names a page and what it shows', () => {
  for (const [page, of] of [
    ['actor', 'storage/store'],
    ['actor', 'a#b %/ü'],
    ['tree', ''],
    ['ledger', '12'],
  ] as const)
    assert.deepEqual(readRoute(addressOf(page, of)), { page, of });
});

test('an address that names nothing is the tree', () => {
  for (const hash of ['', '#', '#/nothing', '#/actor/%E0%A4%A', `#/actor/${'x'.repeat(2000)}`, '#/__proto__'])
    assert.deepEqual(readRoute(hash), { page: 'tree', of: '' });
  assert.deepEqual(readRoute('#/node/extra'), { page: 'node', of: '' });
});

const stage = (role: string, rate_bytes_s: number, waits_for?: string): Stage => ({
  path: `s/${role}`,
  role,
  rate_bytes_s,
  queued_bytes: 1,
  credit_bytes: 1,
  credit_max_bytes: 2,
  ...(waits_for ? { waits_for } : {}),
});

test('the stage at the end of a chain of waiting is the stalled one', () => {
  const found = conditions([stage('capture', 0, 's/chunk'), stage('chunk', 0, 'seal'), stage('seal', 5), stage('store', 5)]);
  assert.deepEqual([...found.values()], ['waiting', 'waiting', 'stalled', 'flowing']);
});

test('nobody waits: nobody is stalled; who waits for somebody outside is himself the end', () => {
  assert.deepEqual([...conditions([stage('capture', 1), stage('chunk', 0)]).values()], ['flowing', 'idle']);
  assert.deepEqual([...conditions([stage('capture', 0, 'storage/store')]).values()], ['stalled']);
});

test('stages that wait for each other do not hang the page', () => {
  assert.ok([...conditions([stage('a', 0, 'b'), stage('b', 0, 'a')]).values()].includes('stalled'));
});

test('the picture is as wide as it may be, and its rows are of equal length', () => {
  const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((role) => stage(role, 1));
  assert.equal(layOut(six, 2000).across, true);
  const narrow = layOut(six, 800);
  assert.deepEqual(
    narrow.boxes.map(({ x, y }) => [x > 300, y > 0]).map(([, below]) => below),
    [false, false, false, true, true, true],
  );
  assert.equal(layOut(six, 100).boxes.at(-1)!.x, 0);
  assert.equal(narrow.arrows.length, 5);
  assert.deepEqual(layOut([], 500).boxes, []);
});

test('names are as short as the reader needs them', () => {
  const id = 'b'.repeat(64);
  assert.equal(format.typeName('lucid::fragment'), 'fragment');
  assert.equal(format.typeName('std::vector<lucid::chunk>'), 'std::vector<chunk>');
  assert.equal(format.pathSeenFrom(`sessions/${id}/chunk`, `sessions/${id}/capture`), 'capture');
  assert.equal(format.pathSeenFrom(`sessions/${id}/chunk`, 'storage/store'), 'storage/store');
  assert.equal(format.pathSeenFrom('control', 'recorder'), 'recorder');
  assert.equal(format.sentence(`restarts sessions/${id}/chunk`), `Restarts sessions/${'b'.repeat(12)}/chunk.`);
  assert.equal(format.sentence('Does nothing.'), 'Does nothing.');
});
