// The store of differences: what arrives is put together, what is missing is noticed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { applyToObject, DifferenceStore, itemsMax } from '../../../actors/console/web/src/core/store.ts';
import { flashMs, RestartMarks } from '../../../actors/console/web/src/core/restart_marks.ts';

interface Thing {
  a: number;
  b: string;
}
const full = (seq: number, set: Record<string, Partial<Thing>>) => ({ seq, full: true, set, gone: [] });
const next = (seq: number, set: Record<string, Partial<Thing>>, gone: string[] = []) => ({ seq, full: false, set, gone });

test('a full message replaces everything', () => {
  const store = new DifferenceStore<Thing>();
  store.apply(full(4, { x: { a: 1, b: 'one' } }));
  assert.deepEqual(store.apply(full(9, { y: { a: 2, b: 'two' } })), { good: true, changed: ['y'], structural: true });
  assert.deepEqual([...store.items], [['y', { a: 2, b: 'two' }]]);
});

test('a difference changes only the members that it names', () => {
  const store = new DifferenceStore<Thing>();
  store.apply(full(0, { x: { a: 1, b: 'one' } }));
  assert.deepEqual(store.apply(next(1, { x: { a: 5 } })), { good: true, changed: ['x'], structural: false });
  assert.deepEqual(store.items.get('x'), { a: 5, b: 'one' });
});

test('things come and go', () => {
  const store = new DifferenceStore<Thing>();
  store.apply(full(0, { x: { a: 1, b: '' } }));
  assert.equal((store.apply(next(1, { y: { a: 2, b: '' } }, ['x'])) as { structural: boolean }).structural, true);
  assert.deepEqual([...store.items.keys()], ['y']);
  assert.equal((store.apply(next(2, {}, ['nobody'])) as { structural: boolean }).structural, false);
});

test('numbers rise but may leave some out; one that does not rise is refused and changes nothing', () => {
  const store = new DifferenceStore<Thing>();
  store.apply(full(3, { x: { a: 1, b: '' } }));
  assert.equal(store.apply(next(7, { x: { a: 2 } })).good, true);
  for (const seq of [7, 4]) assert.equal(store.apply(next(seq, { x: { a: 9 } })).good, false);
  assert.equal(store.items.get('x')!.a, 2);
  assert.equal(store.apply(full(1, { x: { a: 5, b: '' } })).good, true, 'a full message begins anew, whatever its number');
});

test('an object takes what changed, and loses what is null', () => {
  const object: Record<string, unknown> = { kept: 1, changed: 1, gone: 1 };
  applyToObject(object, { full: false, set: { changed: 2, gone: null, added: [3] } });
  assert.deepEqual(object, { kept: 1, changed: 2, added: [3] });
  applyToObject(object, { full: true, set: { only: true } });
  assert.deepEqual(object, { only: true });
});

test('a difference before any full message is refused', () => {
  assert.equal(new DifferenceStore<Thing>().apply(next(7, { x: { a: 1 } })).good, false);
});

test('a message above the bound is refused', () => {
  const set = Object.fromEntries(Array.from({ length: itemsMax + 1 }, (_, i) => [`t${i}`, { a: i }]));
  assert.equal(new DifferenceStore<Thing>().apply(full(0, set)).good, false);
});

test('a restart is marked, flashes, and stays marked until it is cleared', () => {
  const marks = new RestartMarks();
  assert.equal(marks.see('a', 3, 0), false, 'restarts before the page was opened are no news');
  assert.equal(marks.see('a', 3, 10), false);
  assert.equal(marks.see('a', 5, 1000), true);
  assert.deepEqual(marks.of('a'), { restarts: 2, lastAtMs: 1000 });
  assert.equal(marks.flashes('a', 1000 + flashMs - 1), true);
  assert.equal(marks.flashes('a', 1000 + flashMs), false);
  assert.equal(marks.of('a')!.restarts, 2);
  marks.clear();
  assert.equal(marks.of('a'), undefined);
  assert.equal(marks.see('a', 5, 9000), false);
});
