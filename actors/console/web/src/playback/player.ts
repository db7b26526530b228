// Feeds a video element from opened chunks: fetches what is played next, drops what lies behind, follows a seek.
import type { PlaybackClient } from './client.ts';
import { playableType } from './codec.ts';
import { Failure } from './failure.ts';
import { settled } from './source_buffer.ts';
import type { ChunkSpan, Opened } from './worker_messages.ts';

export type ChunkState = 'unknown' | 'fetching' | 'played' | 'damaged';

const aheadSeconds = 20; // What is fetched before it is needed.
const behindSeconds = 30; // What is kept for a short step back.
const gapSecondsMin = 0.05;

export interface PlayerEvents {
  chunk(index: number, state: ChunkState): void;
  failed(failure: Failure, index: number | undefined): void;
}

/** Owns the MediaSource. One chunk is under way at a time; `close` ends it. */
export class Player {
  private readonly source = new MediaSource();
  private readonly address = URL.createObjectURL(this.source);
  private readonly appended = new Set<number>();
  private readonly bad = new Set<number>();
  private readonly closing = new AbortController();
  private buffer: SourceBuffer | undefined;
  private aligned = false;
  private busy = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly client: PlaybackClient,
    private readonly opened: Opened,
    private readonly events: PlayerEvents,
  ) {
    const signal = this.closing.signal;
    this.source.addEventListener('sourceopen', () => void this.start(), { signal, once: true });
    for (const name of ['timeupdate', 'seeking', 'waiting'] as const)
      video.addEventListener(name, () => void this.feed(), { signal });
    video.src = this.address;
  }

  close(): void {
    this.closing.abort();
    this.video.removeAttribute('src');
    this.video.load();
    URL.revokeObjectURL(this.address);
  }

  /** Goes on behind a damaged chunk. */
  skip(index: number): void {
    const next = this.opened.video.find((span) => span.index > index && !this.bad.has(span.index));
    if (next) this.video.currentTime = next.start;
    void this.feed(); // Before the first chunk there is no seek that would ask for it.
  }

  private async start(): Promise<void> {
    const mediaType = await this.playableType();
    if (mediaType === undefined || this.closing.signal.aborted) return;
    if (!MediaSource.isTypeSupported(mediaType))
      return this.events.failed(new Failure('unsupported', `this browser does not play ${mediaType}`), undefined);
    this.buffer = this.source.addSourceBuffer(mediaType);
    this.source.duration = this.opened.seconds;
    void this.feed();
  }

  /** The media type with its codec, from the first chunk that opens. Undefined: none does, and that was said. */
  private async playableType(): Promise<string | undefined> {
    const { mediaType } = this.opened;
    if (mediaType.includes('codecs=')) return mediaType;
    for (const span of this.opened.video) {
      try {
        return playableType(mediaType, await this.client.chunk('video', span.index));
      } catch (error) {
        if (this.closing.signal.aborted) return undefined;
        this.events.failed(error as Failure, undefined);
        if ((error as Failure).code === 'unreachable') return undefined;
      }
    }
    return undefined;
  }

  /** Appends what the present position needs, one chunk after the other. */
  private async feed(): Promise<void> {
    this.stepOverGap();
    if (this.busy || !this.buffer) return;
    this.busy = true;
    try {
      for (let span = this.wanted(); span && (await this.take(span)); span = this.wanted());
      this.endIfWhole();
    } finally {
      this.busy = false;
    }
    this.stepOverGap();
  }

  private wanted(): ChunkSpan | undefined {
    const from = this.video.currentTime;
    const at = this.opened.video.find((span) => span.end > from);
    if (at && this.bad.has(at.index)) return undefined;
    return this.opened.video.find(
      (span) =>
        span.end > from && span.start < from + aheadSeconds && !this.appended.has(span.index) && !this.bad.has(span.index),
    );
  }

  /** False: there is no use in going on now. */
  private async take(span: ChunkSpan): Promise<boolean> {
    this.events.chunk(span.index, 'fetching');
    try {
      const plain = await this.client.chunk('video', span.index);
      if (this.closing.signal.aborted) return false;
      await this.append(plain, span);
      this.appended.add(span.index);
      this.events.chunk(span.index, 'played');
      return true;
    } catch (error) {
      if (this.closing.signal.aborted) return false;
      const failure =
        error instanceof Failure
          ? error
          : new Failure('damaged', `video chunk ${span.index} does not play: ${String(error)}`);
      const isBad = failure.code !== 'unreachable'; // A node that does not answer is asked again with the next step.
      if (isBad) this.bad.add(span.index);
      this.events.chunk(span.index, isBad ? 'damaged' : 'unknown');
      this.events.failed(failure, isBad ? span.index : undefined);
      return isBad;
    }
  }

  private async append(plain: ArrayBuffer, span: ChunkSpan): Promise<void> {
    if (!this.aligned) await this.align(plain, span);
    try {
      await this.put(plain);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
      await this.dropAllBut(span);
      await this.put(plain);
    }
    await this.dropBehind();
  }

  /** The track's clock began before the recording did: a first append tells by how much. */
  private async align(plain: ArrayBuffer, span: ChunkSpan): Promise<void> {
    const buffer = this.buffer!;
    await this.put(plain);
    if (buffer.buffered.length === 0) return;
    const offset = span.start - buffer.buffered.start(0);
    await this.remove(0, Infinity);
    buffer.timestampOffset = offset;
    this.aligned = true;
  }

  private put(plain: ArrayBuffer): Promise<void> {
    this.checkOpen();
    this.buffer!.appendBuffer(plain);
    return settled(this.buffer!);
  }

  private remove(from: number, to: number): Promise<void> {
    this.checkOpen();
    this.buffer!.remove(from, to);
    return settled(this.buffer!);
  }

  private async dropBehind(): Promise<void> {
    const limit = this.video.currentTime - behindSeconds;
    for (const span of this.opened.video)
      if (span.end < limit && this.appended.delete(span.index)) await this.remove(Math.max(0, span.start), span.end);
  }

  private async dropAllBut(kept: ChunkSpan): Promise<void> {
    for (const span of this.opened.video)
      if (span.index !== kept.index && this.appended.delete(span.index))
        await this.remove(Math.max(0, span.start), span.end);
  }

  /** Nothing was recorded there: playing goes on where something was. */
  private stepOverGap(): void {
    const { video } = this;
    const at = video.currentTime;
    if (video.paused && !video.seeking) return;
    for (let i = 0; i < video.buffered.length; ++i) {
      if (video.buffered.start(i) <= at && video.buffered.end(i) > at + gapSecondsMin) return;
      const next = video.buffered.start(i);
      const between = this.opened.video.some((span) => span.end > at + gapSecondsMin && span.start < next - gapSecondsMin);
      if (next > at && !between) {
        video.currentTime = next + 0.001;
        return;
      }
    }
  }

  private endIfWhole(): void {
    const last = this.opened.video.at(-1);
    const isLast = last && this.appended.has(last.index);
    if (isLast && this.source.readyState === 'open' && !this.buffer!.updating) this.source.endOfStream();
  }

  /** Appending to or removing from a source that ended opens it again by itself; one that was closed is gone. */
  private checkOpen(): void {
    if (this.source.readyState === 'closed') throw new Failure('unreachable', 'playback was closed');
  }
}
