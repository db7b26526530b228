// The page's side of the playback worker: questions with answers.
import { Failure } from './failure.ts';
import type { TrackName } from './manifest.ts';
import type { FromWorker, GivenKey, Opened, ToWorker } from './worker_messages.ts';

declare const LUCID_PLAYBACK_WORKER: string; // The address of the worker's script; the build puts it in.

type Question<T> = T extends { number: number } ? Omit<T, 'number'> : never;
interface Pending {
  resolve(answer: FromWorker): void;
  reject(failure: Failure): void;
}

/** Owns the worker, and with it the key: `close` ends both. */
export class PlaybackClient {
  private readonly worker = new Worker(LUCID_PLAYBACK_WORKER, { type: 'module' });
  private readonly pending = new Map<number, Pending>();
  private next = 1;

  constructor() {
    this.worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.pending.get(data.number);
      this.pending.delete(data.number);
      if ('failed' in data) waiting?.reject(new Failure(data.failed.code, data.failed.what));
      else waiting?.resolve(data);
    });
    this.worker.addEventListener('error', () =>
      this.failAll(new Failure('unreachable', 'the decoder of this page could not be loaded')),
    );
  }

  /** For every recording that is opened without a key of its own. */
  async keep(given: GivenKey): Promise<void> {
    await this.ask({ ask: 'keep', given });
  }

  async open(session: string, given?: GivenKey): Promise<Opened> {
    return ((await this.ask({ ask: 'open', session, given })) as { opened: Opened }).opened;
  }

  async chunk(track: TrackName, index: number): Promise<ArrayBuffer> {
    return ((await this.ask({ ask: 'chunk', track, index })) as { plain: ArrayBuffer }).plain;
  }

  close(): void {
    this.worker.terminate();
    this.failAll(new Failure('unreachable', 'playback was closed'));
  }

  private ask(question: Question<ToWorker>): Promise<FromWorker> {
    const number = this.next++;
    return new Promise((resolve, reject) => {
      this.pending.set(number, { resolve, reject });
      this.worker.postMessage({ ...question, number });
    });
  }

  private failAll(failure: Failure): void {
    for (const { reject } of this.pending.values()) reject(failure);
    this.pending.clear();
  }
}
