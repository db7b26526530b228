// What every page is given, and what it gives back.
import type { RestartMarks } from './core/restart_marks.ts';
import type { PageName } from './core/route.ts';
import type { DifferenceStore } from './core/store.ts';
import type { Actor, Machine, NodeStatus, Session } from './core/types.ts';
import type { Api } from './net/api.ts';
import type { Stream, Topical } from './net/stream.ts';
import type { Shortcut } from './ui/shortcuts.ts';

/** Owned by main; lives as long as the browser's tab. */
export interface App {
  readonly api: Api;
  readonly stream: Stream;
  readonly actors: DifferenceStore<Actor>;
  readonly sessions: DifferenceStore<Session>;
  readonly marks: RestartMarks;
  readonly node: Partial<NodeStatus & Machine>;
  go(page: PageName, of?: string): void;
}

/** One page: made when its address is entered, closed when it is left. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly topics: readonly string[];
  readonly shortcuts?: Shortcut[];
  /** After a message of one of its topics, or of its tap, was taken in. */
  update?(message: Topical): void;
  close?(): void;
}

export type PageMaker = (app: App, of: string) => Page;
