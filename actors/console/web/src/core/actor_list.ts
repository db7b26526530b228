// The rows of the supervision tree and of the flat list: folding, filtering, sorting. Pure.
import type { Actor, ActorState } from './types.ts';

export interface Filter {
  text: string; // Words that must all occur in the path or the kind.
  states: ReadonlySet<ActorState>; // Empty: every state.
}

export interface Row {
  path: string;
  name: string; // What is shown: the last part of the path, or all of it in the flat list.
  depth: number;
  childCount: number;
  folded: boolean;
  below: number; // Descendants that folding hides.
  alarm: ActorState | undefined; // The worst state among them, if it is not a good one.
  matches: boolean; // False: shown only because something below matches.
}

export type SortKey = 'path' | 'state' | 'incarnation' | 'mailbox' | 'rate' | 'busy' | 'slowest' | 'restarts' | 'letters';
export interface Order {
  by: SortKey;
  descending: boolean;
}

export const states: readonly ActorState[] = ['running', 'starting', 'suspended', 'restarting', 'waiting', 'stopped'];
const severity = new Map(states.map((state, index) => [state, index]));
const isAlarm = (state: ActorState) => state !== 'running' && state !== 'starting';

/** Paths in the order in which people count: "chunk-9" before "chunk-10". */
const inOrder = new Intl.Collator('en', { numeric: true }).compare;

export function matches(actor: Actor, filter: Filter): boolean {
  if (filter.states.size > 0 && !filter.states.has(actor.state_now)) return false;
  const hay = `${actor.path} ${actor.kind}`.toLowerCase();
  return filter.text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

export const isFiltering = (filter: Filter) => filter.text.trim() !== '' || filter.states.size > 0;

const otherNodes = 'nodes/';

/** The root of another node of the cluster: "nodes/attic". Path and name, as the API states them. */
export const isOtherNode = (path: string) =>
  path.startsWith(otherNodes) && path.length > otherNodes.length && !path.includes('/', otherNodes.length);
/** The other node that an actor runs on: "attic" of "nodes/attic/storage/store"; '' for one of this node. */
export const otherNodeOf = (path: string) => /^nodes\/([^/]+)/.exec(path)?.[1] ?? '';

/** Folds those other nodes that were not seen before: what an operator looks for is mostly here. */
export function foldNewNodes(actors: ReadonlyMap<string, Actor>, seen: Set<string>, folded: Set<string>): void {
  for (const path of actors.keys()) {
    if (!isOtherNode(path) || seen.has(path)) continue;
    seen.add(path);
    folded.add(path);
  }
}

/** This node before the others, then in start order, then by name. */
const inSiblingOrder = (a: Actor, b: Actor) =>
  Number(isOtherNode(a.path)) - Number(isOtherNode(b.path)) || a.position - b.position || inOrder(a.path, b.path);

/** Children by parent, siblings in their supervisor's order where it is known, else by name. */
export function childrenOf(actors: ReadonlyMap<string, Actor>): Map<string, Actor[]> {
  const children = new Map<string, Actor[]>();
  for (const actor of actors.values()) {
    // Whose parent is not there (yet) stands at the top, so that nobody is lost from view.
    // A node stands at the top as well: it is not a part of this one.
    const parent = actors.has(actor.parent) && !isOtherNode(actor.path) ? actor.parent : '';
    const siblings = children.get(parent);
    if (siblings) siblings.push(actor);
    else children.set(parent, [actor]);
  }
  for (const siblings of children.values()) siblings.sort(inSiblingOrder);
  return children;
}

interface Subtree {
  count: number;
  alarm: ActorState | undefined;
  matches: boolean;
}

function worse(a: ActorState | undefined, b: ActorState | undefined): ActorState | undefined {
  if (!a || !b) return a ?? b;
  return severity.get(a)! >= severity.get(b)! ? a : b;
}

/** What folding an actor would hide, for each of them. */
function measure(roots: Actor[], children: Map<string, Actor[]>, filter: Filter): Map<string, Subtree> {
  const measured = new Map<string, Subtree>();
  const visit = (actor: Actor): Subtree => {
    const whole: Subtree = { count: 0, alarm: undefined, matches: matches(actor, filter) };
    measured.set(actor.path, whole);
    for (const child of children.get(actor.path) ?? []) {
      if (measured.has(child.path)) continue;
      const below = visit(child);
      whole.count += 1 + below.count;
      whole.alarm = worse(whole.alarm, worse(below.alarm, isAlarm(child.state_now) ? child.state_now : undefined));
      whole.matches ||= below.matches;
    }
    return whole;
  };
  for (const root of roots) visit(root);
  return measured;
}

/** "sessions/3f…/seal" stands below "sessions/3f…", so it is called "seal" there. */
export function nameBelow(actor: Actor): string {
  const prefix = `${actor.parent}/`;
  return actor.parent !== '' && actor.path.startsWith(prefix) ? actor.path.slice(prefix.length) : actor.path;
}

/** The tree as rows. While a filter is on, folds do not hide what it found. */
export function treeRows(actors: ReadonlyMap<string, Actor>, folded: ReadonlySet<string>, filter: Filter): Row[] {
  const children = childrenOf(actors);
  const roots = children.get('') ?? [];
  const measured = measure(roots, children, filter);
  const filtering = isFiltering(filter);
  const rows: Row[] = [];
  const add = (actor: Actor, depth: number) => {
    const whole = measured.get(actor.path)!;
    if (!whole.matches) return;
    const below = children.get(actor.path) ?? [];
    const isFolded = !filtering && below.length > 0 && folded.has(actor.path);
    rows.push({
      path: actor.path,
      name: nameBelow(actor),
      depth,
      childCount: below.length,
      folded: isFolded,
      below: whole.count,
      alarm: isFolded ? whole.alarm : undefined,
      matches: !filtering || matches(actor, filter),
    });
    if (!isFolded) for (const child of below) add(child, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}

const measureBy: Record<Exclude<SortKey, 'path'>, (actor: Actor) => number> = {
  state: (a) => severity.get(a.state_now) ?? 0,
  incarnation: (a) => a.incarnation,
  mailbox: (a) => a.mailbox_length,
  rate: (a) => a.rate,
  busy: (a) => a.busy_share,
  slowest: (a) => a.handler_ns.p99,
  restarts: (a) => a.restart_count,
  letters: (a) => a.dead_letter_count,
};

/** Every actor as one row, sorted; equal ones by path, so that rows do not dance. */
export function flatRows(actors: ReadonlyMap<string, Actor>, order: Order, filter: Filter): Row[] {
  const found = [...actors.values()].filter((actor) => matches(actor, filter));
  const sign = order.descending ? -1 : 1;
  const by = order.by;
  if (by === 'path') found.sort((a, b) => sign * inOrder(a.path, b.path));
  else {
    const value = measureBy[by];
    found.sort((a, b) => sign * (value(a) - value(b)) || (a.path < b.path ? -1 : 1));
  }
  return found.map(({ path }) => ({
    path,
    name: path,
    depth: 0,
    childCount: 0,
    folded: false,
    below: 0,
    alarm: undefined,
    matches: true,
  }));
}

/** All paths that have children: what "fold all" folds, but for the root. */
export function foldable(actors: ReadonlyMap<string, Actor>): string[] {
  return [...childrenOf(actors).keys()].filter((path) => path !== '' && actors.get(path)?.parent !== '');
}
