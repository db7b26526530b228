// A tap: the messages that flow through one actor, while it is open.
import { bytes, clock, count, exactMoment, pathSeenFrom, typeName } from '../core/format.ts';
import type { Message } from '../core/types.ts';
import type { Stream, Tapped } from '../net/stream.ts';
import { h, setText } from '../ui/dom.ts';
import { panel } from '../ui/parts.ts';
import { VirtualList } from '../ui/virtual_list.ts';

const messagesMax = 2_000; // Older ones are dropped.

export class TapPart {
  readonly element: HTMLElement;
  private readonly messages: Message[] = [];
  private readonly viewport = h(
    'div',
    { class: 'grid tapped', role: 'log', tabindex: 0, 'aria-label': 'Tapped messages' },
    h(
      'div',
      { class: 'row head' },
      ['Time', 'Type', 'Size', 'From', 'Fields'].map((title) => h('div', { class: `cell ${title.toLowerCase()}` }, title)),
    ),
  );
  private readonly list: VirtualList<Message>;
  private readonly button = h('button', { type: 'button', onclick: () => this.toggle() }, 'Open tap');
  private readonly counted = h('span', { class: 'quiet' }, 'closed: nothing is copied');
  private open = false;
  private seen = 0;
  private missed = 0;

  constructor(
    private readonly stream: Stream,
    private readonly path: string,
  ) {
    this.list = new VirtualList(this.viewport, {
      make: () =>
        h(
          'div',
          { class: 'row' },
          ['time', 'type', 'size', 'from', 'fields'].map((name) => h('div', { class: `cell ${name}` })),
        ),
      fill: (row, message) => {
        const texts = [
          clock(message.at_us),
          typeName(message.type),
          bytes(message.size_bytes),
          pathSeenFrom(this.path, message.sender) || 'outside',
          message.fields,
        ];
        for (const [i, text] of texts.entries()) setText(row.children[i]!, text);
        (row.firstElementChild as HTMLElement).title = exactMoment(message.at_us);
        (row.lastElementChild as HTMLElement).title = message.fields;
      },
    });
    this.element = panel('Tap', this.viewport, h('span', { class: 'inline' }, this.counted, this.button));
  }

  take(tapped: Tapped): void {
    if (tapped.path !== this.path || !this.open) return;
    const atEnd = this.viewport.scrollTop + this.viewport.clientHeight >= this.viewport.scrollHeight - 8;
    this.messages.push(...tapped.messages);
    this.messages.splice(0, Math.max(0, this.messages.length - messagesMax));
    this.seen += tapped.messages.length;
    this.missed += tapped.missed;
    this.list.show(this.messages);
    this.count();
    if (atEnd) this.viewport.scrollTop = this.viewport.scrollHeight;
  }

  close(): void {
    if (this.open) this.stream.untap(this.path);
    this.list.close();
  }

  private toggle(): void {
    this.open = !this.open;
    if (this.open) this.stream.tap(this.path);
    else this.stream.untap(this.path);
    setText(this.button, this.open ? 'Close tap' : 'Open tap');
    this.count();
  }

  private count(): void {
    setText(this.counted, `${count(this.seen)} seen, ${count(this.missed)} missed${this.open ? '' : '; closed'}`);
  }
}
