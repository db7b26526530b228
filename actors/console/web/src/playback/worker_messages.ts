// What the page and the playback worker say to each other.
import type { FailureCode } from './failure.ts';
import type { TrackName } from './manifest.ts';

export type ToWorker =
  | { ask: 'open'; number: number; session: string; keyFile: string; passphrase: string }
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
  | { number: number; opened: Opened }
  | { number: number; plain: ArrayBuffer }
  | { number: number; failed: { code: FailureCode; what: string } };
