// What the node sends as differences, put together again. Pure: no socket, no clock.

/** One message of a topic that holds many things by name. `seq` rises, not by one: it counts for all pages of a node. */
export interface Difference<T> {
  seq: number;
  full: boolean;
  set: Record<string, Partial<T>>;
  gone: string[];
}

/** Most things that one topic may hold; a node that states more is not believed. */
export const itemsMax = 50_000;

export type Applied = { good: true; changed: string[]; structural: boolean } | { good: false; why: string };

/** The things of one topic by name. A full message replaces everything; another one must be newer than the last. */
export class DifferenceStore<T extends object> {
  readonly items = new Map<string, T>();
  private seq: number | undefined; // None before the first full message.

  apply(difference: Difference<T>): Applied {
    const names = Object.keys(difference.set);
    if (names.length > itemsMax) return { good: false, why: `${names.length} things in one message` };
    if (!difference.full && (this.seq === undefined || difference.seq <= this.seq))
      return { good: false, why: `message ${difference.seq} comes after ${this.seq ?? 'nothing'}` };

    let structural = difference.full;
    if (difference.full) this.items.clear();
    for (const name of difference.gone) structural = this.items.delete(name) || structural;
    for (const name of names) structural = this.merge(name, difference.set[name]!) || structural;
    this.seq = difference.seq;
    return { good: true, changed: names, structural };
  }

  private merge(name: string, members: Partial<T>): boolean {
    const there = this.items.get(name);
    this.items.set(name, { ...there, ...members } as T);
    return !there;
  }
}

/** One message of a topic that is one object; a member that went is told as null. */
export interface ObjectDifference {
  full: boolean;
  set: Record<string, unknown>;
}

/** Merges what changed into `object`. */
export function applyToObject(object: Record<string, unknown>, { full, set }: ObjectDifference): void {
  if (full) for (const name of Object.keys(object)) delete object[name];
  for (const [name, value] of Object.entries(set))
    if (value === null) delete object[name];
    else object[name] = value;
}
