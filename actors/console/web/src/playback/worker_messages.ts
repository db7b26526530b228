// What the page and the playback worker say to each other.
import type { FailureCode } from './failure.ts';
import type { TrackName } from './manifest.ts';

/** As a person gave it: the text of a key file, and "" where there is no passphrase. */
export interface GivenKey {
  keyFile: string;
  passphrase: string;
}

/** `keep` holds a key until the worker ends; `open` without a given key uses that one. */
export type ToWorker =
  | { ask: 'keep'; number: number; given: GivenKey }
  | { ask: 'open'; number: number; session: string; given?: GivenKey }
  | { ask: 'chunk'; number: number; track: TrackName; index: number };

/** A chunk's place in the recording, in seconds since its start. */
export interface ChunkSpan {
  index: number;
  start: number;
  end: number;
  sizeBytes: number;
}

export interface Opened {
  title: string;
  recorder: string;
  manifestHash: string;
  seconds: number;
  mediaType: string;
  video: ChunkSpan[];
  events: ChunkSpan[];
  startedUs: number;
}

export type FromWorker =
  | { number: number; kept: true }
  | { number: number; opened: Opened }
  | { number: number; plain: ArrayBuffer }
  | { number: number; failed: { code: FailureCode; what: string } };
