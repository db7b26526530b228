// Pictures in the list of recordings: made in this page under the owner's key, one at a time, of what is in view.
import { Kept } from '../core/kept.ts';
import { addressOf } from '../core/route.ts';
import type { Session } from '../core/types.ts';
import type { PlaybackClient } from '../playback/client.ts';
import type { Failure } from '../playback/failure.ts';
import type { PictureSize } from '../playback/frame.ts';
import type { GivenKey } from '../playback/worker_messages.ts';
import { h } from '../ui/dom.ts';

const keptMax = 100; // The oldest gives way.
const inViewMax = keptMax / 2; // So that there is always one to give way that nobody sees.
const pixelsMax = 640; // Width of a picture; its cell is 160 units wide.
const againMs = 30_000; // A node that did not answer is asked again.

const reasons: Record<Failure['code'], string> = {
  wrong_key: 'sealed for another key',
  damaged: 'damaged',
  malformed: 'not readable',
  unsupported: 'not shown by this browser',
  unreachable: 'no answer',
};

/** A picture's address, or why there is none. */
type Thumbnail = { address: string } | { reason: string; why: string };

/** What the decoder needs, loaded when somebody wants pictures. */
type Decoder = typeof import('../playback/frame.ts');

const without = ({ code, message }: Failure): Thumbnail => ({
  reason: reasons[code] ?? 'failed',
  why: `${reasons[code] ?? 'failed'}: ${message}`,
});

/** Owns the worker with the key, and the pictures; `stop` ends the one and forgets the others. */
export class Thumbnails {
  private readonly made = new Kept<Thumbnail>(keptMax, release); // By session.
  private readonly seen = new Set<Element>();
  private readonly watching = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes)
      if (isIntersecting) this.seen.add(target);
      else this.seen.delete(target);
    void this.work();
  });
  private rows: HTMLElement[] = [];
  private client: PlaybackClient | undefined;
  private decoder: Decoder | undefined;
  private busy = false;
  private closed = false;

  /** `changed` is called when a cell is to be drawn anew. */
  constructor(private readonly changed: () => void) {}

  get on(): boolean {
    return this.decoder !== undefined;
  }

  /** Throws a Failure where the key does not open. */
  async start(given: GivenKey): Promise<void> {
    this.stop();
    const [{ PlaybackClient }, decoder] = await Promise.all([
      import('../playback/client.ts'),
      import('../playback/frame.ts'),
    ]);
    if (this.closed) return;
    this.client = new PlaybackClient();
    try {
      await this.client.keep(given);
    } catch (error) {
      this.stop();
      throw error;
    }
    this.decoder = decoder;
    this.changed();
  }

  stop(): void {
    this.client?.close();
    this.client = this.decoder = undefined;
    this.watching.disconnect();
    this.seen.clear();
    this.rows = [];
    this.made.clear();
  }

  /** The page is left. */
  close(): void {
    this.closed = true;
    this.stop();
  }

  /** `sealed`: there is a manifest, so that there is something to make a picture of. */
  cell(session: Session, sealed: boolean): HTMLElement {
    const name = session.title || session.source || session.id.slice(0, 12);
    const frame = (kind: string, more: Record<string, string>, content?: string | Node) =>
      h(
        'a',
        {
          class: `thumbnail ${kind}`,
          href: addressOf('session', session.id),
          tabindex: -1, // The title beside it leads to the same page.
          'data-session': session.id,
          ...more,
        },
        content,
      );
    const made = this.made.get(session.id);
    if (!sealed) return frame('none', {}, session.state === 'failed' ? 'nothing was sealed' : 'not sealed yet');
    if (!made) return frame('awaited', { 'aria-label': `Thumbnail of ${name}: not made yet` }, '…');
    if ('address' in made) return frame('made', {}, h('img', { src: made.address, alt: `Thumbnail of ${name}` }));
    return frame('none', { title: made.why }, made.reason);
  }

  /** To be called after `list` was drawn: its rows are those that are watched. */
  watch(list: HTMLElement): void {
    if (!this.on) return;
    const rows = [...list.querySelectorAll<HTMLElement>('tbody tr')];
    for (const gone of this.rows.filter((row) => !row.isConnected)) {
      this.watching.unobserve(gone);
      this.seen.delete(gone);
    }
    for (const row of rows) this.watching.observe(row);
    this.rows = rows;
    void this.work();
  }

  private inView(): HTMLElement[] {
    return this.rows.filter((row) => this.seen.has(row)).slice(0, inViewMax);
  }

  private sessionsInView(): Set<string> {
    return new Set(this.inView().map((row) => row.querySelector<HTMLElement>('.thumbnail')?.dataset.session ?? ''));
  }

  /** The uppermost cell in view that waits for its picture. */
  private wanted(): HTMLElement | undefined {
    if (document.hidden) return undefined;
    for (const row of this.inView()) {
      const cell = row.querySelector<HTMLElement>('.thumbnail.awaited');
      if (cell && !this.made.get(cell.dataset.session!)) return cell;
    }
    return undefined;
  }

  /** Makes what is missing in view; to be called now and then, since nothing is made in a hidden tab. */
  async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let cell = this.wanted(); cell; cell = this.wanted()) await this.take(cell);
    } finally {
      this.busy = false;
    }
  }

  private async take(cell: HTMLElement): Promise<void> {
    const { client } = this;
    const id = cell.dataset.session!;
    const made = await this.make(id, cell).catch((error: Failure) => {
      if (error.code === 'unreachable') setTimeout(() => this.forget(id, client), againMs);
      return without(error);
    });
    if (client !== this.client) return release(made);
    this.made.set(id, made, this.sessionsInView());
    this.changed();
  }

  private async make(id: string, cell: HTMLElement): Promise<Thumbnail> {
    const { client, decoder } = this;
    const { video, mediaType } = await client!.open(id);
    if (video.length === 0) return { reason: 'no video', why: 'this recording has no video' };
    const plain = await client!.chunk('video', 0); // At most 16 MiB: playback/manifest.ts believes in no larger one.
    return { address: URL.createObjectURL(await decoder!.pictureOf(plain, mediaType, pixelsOf(cell))) };
  }

  private forget(id: string, client: PlaybackClient | undefined): void {
    if (client !== this.client) return;
    this.made.drop(id);
    this.changed();
  }
}

function release(made: Thumbnail): void {
  if ('address' in made) URL.revokeObjectURL(made.address);
}

function pixelsOf(cell: HTMLElement): PictureSize {
  const width = Math.min(pixelsMax, Math.round(cell.offsetWidth * devicePixelRatio));
  return { width, height: Math.round((width * 9) / 16) };
}
