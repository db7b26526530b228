// What is kept is bounded, and what goes is released.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Kept } from '../../../actors/console/web/src/core/kept.ts';

function keptOf(max: number, ...names: string[]) {
  const released: string[] = [];
  const kept = new Kept<string>(max, (thing) => released.push(thing));
  for (const name of names) kept.set(name, name.toUpperCase());
  return { kept, released };
}

test('the oldest gives way, and is released', () => {
  const { kept, released } = keptOf(2, 'a', 'b', 'c');
  assert.deepEqual(released, ['A']);
  assert.deepEqual(['a', 'b', 'c'].map((name) => kept.get(name)), [undefined, 'B', 'C']);
});

test('what is spared stays, as long as another can go', () => {
  const { kept, released } = keptOf(2, 'a', 'b');
  kept.set('c', 'C', new Set(['a']));
  assert.deepEqual(released, ['B']);
  kept.set('d', 'D', new Set(['a', 'c']));
  assert.deepEqual(released, ['B', 'A'], 'the bound holds all the same');
});

test('a thing that is replaced is released, and is the newest then', () => {
  const { kept, released } = keptOf(2, 'a', 'b');
  kept.set('a', 'A2');
  kept.set('c', 'C');
  assert.deepEqual(released, ['A', 'B']);
  assert.equal(kept.get('a'), 'A2');
});

test('all that is dropped is released once', () => {
  const { kept, released } = keptOf(3, 'a', 'b');
  kept.drop('a');
  kept.drop('a');
  kept.clear();
  kept.clear();
  assert.deepEqual(released, ['A', 'B']);
});
