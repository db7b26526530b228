// What is said of a cluster in one line, and the order in which its members stand. Pure.
import { nanoseconds, plural } from './format.ts';
import type { Lease, Member, MemberState, Replication } from './types.ts';

/** "3 members: 2 up, 1 down"; those that were removed are not counted. This node is up for itself. */
export function membersInWords(members: readonly Member[]): string {
  const present = members.filter(({ state }) => state !== 'removed');
  const down = present.filter(({ state }) => state === 'down').length;
  const up = present.length - down;
  return `${plural(present.length, 'member', 'members')}: ${up} up${down > 0 ? `, ${down} down` : ''}`;
}

/** As told, those that were removed behind the others. */
export const inOrderShown = (members: readonly Member[]): Member[] => [
  ...members.filter(({ state }) => state !== 'removed'),
  ...members.filter(({ state }) => state === 'removed'),
];

export const stateInWords = (state: MemberState) => (state === 'self' ? 'this node' : state);

export const roundTrip = ({ state, round_trip_us }: Member) =>
  state === 'up' && round_trip_us > 0 ? nanoseconds(round_trip_us * 1000) : '–';

/** "4.2 s"; what has run out is 0. */
export const remaining = ({ holder, remaining_ms }: Lease) =>
  holder === '' ? '–' : `${(Math.max(0, remaining_ms) / 1000).toFixed(1)} s`;

/** 0 .. 1; all of nothing is 1. */
export const replicatedShare = ({ chunk_count, replicated_count }: Replication) =>
  chunk_count === 0 ? 1 : Math.min(1, replicated_count / chunk_count);
