// Playback in the page: the key is given to the page alone, the sealed chunks come from the node as they are.
import { bytes, exactMoment, position } from '../core/format.ts';
import type { PlaybackClient } from '../playback/client.ts';
import type { Failure } from '../playback/failure.ts';
import type { ChunkState, Player } from '../playback/player.ts';
import type { ChunkSpan, GivenKey, Opened } from '../playback/worker_messages.ts';
import { h, replace } from '../ui/dom.ts';
import { facts, panel, wholeHex } from '../ui/parts.ts';
import { failureView } from './failure_view.ts';
import { KeyForm } from './key_form.ts';

const eventsShownMax = 500;

interface RecordedEvent {
  at: number;
  text: string;
}

/** One JSON object a line; what is not one is shown as it stands. */
function readEvents(plain: ArrayBuffer, startedUs: number): RecordedEvent[] {
  return new TextDecoder()
    .decode(plain)
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, eventsShownMax)
    .map((line) => {
      try {
        const { at_us, ...rest } = JSON.parse(line) as { at_us?: number; event?: string };
        return {
          at: at_us === undefined ? 0 : (at_us - startedUs) / 1e6,
          text: Object.entries(rest)
            .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
            .join(', '),
        };
      } catch {
        return { at: 0, text: line };
      }
    });
}

/** Owns the worker with the key, and the player. */
export class PlaybackPart {
  readonly element: HTMLElement;
  private readonly body = h('div', { class: 'playback' });
  private readonly problem = h('div', { role: 'alert' });
  private readonly chunks: HTMLElement[] = [];
  private client: PlaybackClient | undefined;
  private player: Player | undefined;

  constructor(private readonly session: string) {
    this.element = panel('Playback', h('div', {}, this.problem, this.body));
    this.showForm();
  }

  close(): void {
    this.player?.close();
    this.client?.close();
    this.player = this.client = undefined;
  }

  private showForm(): void {
    const form = new KeyForm({
      promise: 'The key stays in this page: it is never sent to the node, and is forgotten when the page is left.',
      button: 'Open',
      busy: 'Opening …',
      use: (given) => this.open(given),
      failed: (failure) => this.fail(failure),
    });
    replace(this.body, form.element);
  }

  private async open(given: GivenKey): Promise<void> {
    replace(this.problem);
    const { PlaybackClient } = await import('../playback/client.ts');
    this.client ??= new PlaybackClient();
    await this.show(await this.client.open(this.session, given));
  }

  private async show(opened: Opened): Promise<void> {
    const video = h('video', { controls: true, playsinline: true, tabindex: 0, 'aria-label': `Recording ${opened.title}` });
    const events = h('div', { class: 'events' });
    const strip = h(
      'div',
      { class: 'chunk-strip', role: 'group', 'aria-label': 'Chunks of the video' },
      opened.video.map((span) => this.chunkMark(span, video, opened)),
    );
    replace(
      this.body,
      opened.video.length > 0 ? [video, strip] : h('p', { class: 'quiet' }, 'This recording has no video.'),
      facts([
        ['opened', `${position(opened.seconds)} in ${opened.video.length} video and ${opened.events.length} events chunks`],
        ['manifest hash', wholeHex(opened.manifestHash)],
        ['signed by', wholeHex(opened.recorder)],
      ]),
      h(
        'div',
        { class: 'buttons' },
        opened.events.length > 0
          ? h('button', { type: 'button', onclick: () => void this.showEvents(opened, events, video) }, 'Show events')
          : undefined,
        h('button', { type: 'button', onclick: () => this.forget() }, 'Forget the key'),
      ),
      events,
    );
    if (opened.video.length === 0) return;
    const { Player } = await import('../playback/player.ts');
    this.player = new Player(video, this.client!, opened, {
      chunk: (index, state) => this.mark(index, state),
      failed: (failure, index) => this.fail(failure, index),
    });
  }

  private chunkMark(span: ChunkSpan, video: HTMLVideoElement, opened: Opened): HTMLElement {
    const mark = h('button', {
      type: 'button',
      class: 'chunk unknown',
      title: `chunk ${span.index}: from ${position(span.start)}, ${bytes(span.sizeBytes)}`,
      'aria-label': `Chunk ${span.index}, from ${position(span.start)}`,
      onclick: () => {
        video.currentTime = Math.max(0, span.start);
      },
    });
    mark.style.flexGrow = String(Math.max(0.01, (span.end - span.start) / opened.seconds));
    this.chunks[span.index] = mark;
    return mark;
  }

  private mark(index: number, state: ChunkState): void {
    const mark = this.chunks[index];
    if (mark) mark.className = `chunk ${state}`;
  }

  private async showEvents(opened: Opened, into: HTMLElement, video: HTMLVideoElement): Promise<void> {
    try {
      const lists = [];
      for (const { index } of opened.events)
        lists.push(...readEvents(await this.client!.chunk('events', index), opened.startedUs));
      replace(
        into,
        h(
          'ol',
          {},
          lists.slice(0, eventsShownMax).map(({ at, text }) =>
            h(
              'li',
              {},
              h(
                'button',
                {
                  type: 'button',
                  class: 'link',
                  title: exactMoment(opened.startedUs + at * 1e6),
                  onclick: () => {
                    video.currentTime = at;
                  },
                },
                position(at),
              ),
              ' ',
              text,
            ),
          ),
        ),
      );
    } catch (error) {
      this.fail(error as Failure);
    }
  }

  private forget(): void {
    this.close();
    replace(this.problem);
    this.chunks.length = 0;
    this.showForm();
  }

  private fail(failure: Failure, index?: number): void {
    const onward = index !== undefined && this.player !== undefined;
    replace(this.problem, failureView(failure, onward ? this.onwardButton(index) : undefined));
  }

  private onwardButton(index: number): HTMLButtonElement {
    const onclick = () => {
      replace(this.problem);
      this.player?.skip(index);
    };
    return h('button', { type: 'button', onclick }, 'Go on behind it');
  }
}
