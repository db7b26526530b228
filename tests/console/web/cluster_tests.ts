// What is said of a cluster.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chainOwner, membersInWords, remaining, replicatedShare, roundTrip } from '../../../actors/console/web/src/core/cluster.ts';
import type { Lease, Member, MemberState, Replication } from '../../../actors/console/web/src/core/types.ts';

const member = (name: string, state: MemberState, round_trip_us = 0) => ({ name, state, round_trip_us }) as Member;
const all = [member('b', 'self'), member('c', 'up', 840), member('d', 'down', 840)];

test('members are counted by what they are', () => {
  assert.equal(membersInWords(all), '3 members: 2 up, 1 down');
  assert.equal(membersInWords([member('b', 'self')]), '1 member: 1 up');
});

test('a round trip is told of those alone that are heard', () => {
  assert.deepEqual(all.map(roundTrip), ['–', '840 µs', '–']);
});

test('a lease that has run out has nothing left', () => {
  const lease = (holder: string, remaining_ms: number) => ({ holder, remaining_ms }) as Lease;
  assert.deepEqual([lease('a', 4200), lease('a', -5), lease('', 900)].map(remaining), ['4.2 s', '0.0 s', '–']);
});

test('of no chunks all have enough copies', () => {
  const copies = (chunk_count: number, replicated_count: number) => ({ chunk_count, replicated_count }) as Replication;
  assert.deepEqual([copies(0, 0), copies(4, 1), copies(4, 5)].map(replicatedShare), [1, 0.25, 1]);
});

test('a chain is told by the name of the member who has it, else by its key', () => {
  const members = [{ name: 'attic', sign_key: 'ab'.repeat(32) }, { name: 'cellar', sign_key: 'cd'.repeat(32) }] as Member[];
  assert.equal(chainOwner('cd'.repeat(32), members), 'cellar');
  assert.equal(chainOwner('ef'.repeat(32), members), 'efefefefefefefef');
});
