// What is said of a cluster and its copies, in few words. Pure.
import { nanoseconds, plural } from './format.ts';
import type { Lease, Member, MemberState, Replication } from './types.ts';

/** "3 members: 2 up, 1 down". This node is up for itself. */
export function membersInWords(members: readonly Member[]): string {
  const down = members.filter(({ state }) => state === 'down').length;
  const up = members.length - down;
  return `${plural(members.length, 'member', 'members')}: ${up} up${down > 0 ? `, ${down} down` : ''}`;
}

export const stateInWords = (state: MemberState) => (state === 'self' ? 'this node' : state);

export const roundTrip = ({ state, round_trip_us }: Member) =>
  state === 'up' && round_trip_us > 0 ? nanoseconds(round_trip_us * 1000) : '–';

/** "4.2 s"; what has run out is 0. */
export const remaining = ({ holder, remaining_ms }: Lease) =>
  holder === '' ? '–' : `${(Math.max(0, remaining_ms) / 1000).toFixed(1)} s`;

/** 0 .. 1; all of nothing is 1. */
export const replicatedShare = ({ chunk_count, replicated_count }: Replication) =>
  chunk_count === 0 ? 1 : Math.min(1, replicated_count / chunk_count);

/** In whose chain a block is: the member's name, or the first digits of a key that is no member's. */
export const chainOwner = (producer: string, members: readonly Member[]) =>
  members.find(({ sign_key }) => sign_key === producer)?.name ?? producer.slice(0, 16);
