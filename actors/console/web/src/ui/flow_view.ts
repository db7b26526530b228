// The picture of a session's pipeline: who sends how much, who waits for whom, and where it stalls.
import { type Arrow, type Box, boxHeight, boxWidth, layOut } from '../core/flow_picture.ts';
import { byteRate, bytes, shortPath } from '../core/format.ts';
import type { Stage } from '../core/types.ts';
import { h, replace, svg } from './dom.ts';

const barWidth = boxWidth - 24;
const designFontSize = 14; // Pixels; on large screens the picture grows with the text.

/** A bar with its words: how full a queue or a credit is. */
function bar(y: number, label: string, value: number, filled: number, kind: string): SVGElement[] {
  return [
    svg('text', { x: 12, y, class: 'label' }, label),
    svg('text', { x: boxWidth - 12, y, class: 'label value' }, bytes(value)),
    svg('rect', { x: 12, y: y + 5, width: barWidth, height: 4, rx: 2, class: 'trough' }),
    svg('rect', {
      x: 12,
      y: y + 5,
      width: barWidth * Math.min(1, Math.max(0, filled)),
      height: 4,
      rx: 2,
      class: `fill ${kind}`,
    }),
  ];
}

function words({ stage, condition }: Box): string {
  if (stage.waits_for !== undefined) return `waits for ${shortPath(stage.waits_for).split('/').at(-1)}`;
  if (condition === 'stalled') return 'stalled here';
  return stage.rate_bytes_s > 0 ? byteRate(stage.rate_bytes_s) : 'idle';
}

function box(at: Box, mostQueued: number): SVGElement {
  const { stage, condition } = at;
  const credit = stage.credit_max_bytes > 0 ? stage.credit_bytes / stage.credit_max_bytes : 0;
  return svg(
    'g',
    { class: `stage ${condition}`, transform: `translate(${at.x} ${at.y})` },
    svg(
      'title',
      {},
      `${stage.role}: ${words(at)}; ${bytes(stage.queued_bytes)} queued` +
        (stage.credit_max_bytes > 0 ? `; ${bytes(stage.credit_bytes)} of ${bytes(stage.credit_max_bytes)} credit` : ''),
    ),
    svg('rect', { width: boxWidth, height: boxHeight, rx: 6, class: 'frame' }),
    svg('text', { x: 12, y: 22, class: 'role' }, stage.role),
    svg('text', { x: 12, y: 42, class: 'words' }, words(at)),
    bar(66, 'queued', stage.queued_bytes, stage.queued_bytes / Math.max(1, mostQueued), 'queue'),
    stage.credit_max_bytes > 0 ? bar(94, 'credit', stage.credit_bytes, credit, credit < 0.1 ? 'spent' : 'credit') : [],
  );
}

function arrow({ from, to, flows, waits }: Arrow): SVGElement {
  const sameRow = from.y === to.y;
  const path = sameRow
    ? `M${from.x + boxWidth + 3} ${from.y + boxHeight / 2} H${to.x - 7}`
    : `M${from.x + boxWidth / 2} ${from.y + boxHeight + 3} V${from.y + boxHeight + 11} H${to.x + boxWidth / 2} V${to.y - 7}`;
  const [x, y] = sameRow ? [to.x - 3, to.y + boxHeight / 2] : [to.x + boxWidth / 2, to.y - 3];
  const tip = sameRow ? `M${x} ${y} l-8 -4 v8 z` : `M${x} ${y} l-4 -8 h8 z`;
  return svg(
    'g',
    { class: `arrow ${waits ? 'waits' : flows ? 'flows' : 'still'}` },
    svg('path', { d: path, class: 'line' }),
    svg('path', { d: tip, class: 'tip' }),
  );
}

/** Draws itself anew when its width changes. */
export class FlowView {
  readonly element = h('div', { class: 'flow' });
  private stages: Stage[] = [];
  private readonly watching = new ResizeObserver(() => this.draw());

  constructor() {
    this.watching.observe(this.element);
  }
  close(): void {
    this.watching.disconnect();
  }

  show(stages: Stage[]): void {
    this.stages = stages;
    this.draw();
  }

  private draw(): void {
    if (this.stages.length === 0)
      return replace(this.element, h('p', { class: 'quiet' }, 'Nothing flows: the session is not running.'));
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / designFontSize;
    const picture = layOut(this.stages, this.element.clientWidth / scale - 4);
    const mostQueued = Math.max(...this.stages.map((stage) => stage.queued_bytes));
    const stalled = picture.boxes.filter(({ condition }) => condition === 'stalled').map(({ stage }) => stage.role);
    const label = stalled.length > 0 ? `Pipeline, stalled at ${stalled.join(' and ')}` : 'Pipeline, flowing';
    replace(
      this.element,
      svg(
        'svg',
        {
          viewBox: `-2 -2 ${picture.width + 4} ${picture.height + 4}`,
          width: (picture.width + 4) * scale,
          height: (picture.height + 4) * scale,
          role: 'img',
          'aria-label': label,
        },
        picture.arrows.map(arrow),
        picture.boxes.map((one) => box(one, mostQueued)),
      ),
      h(
        'p',
        { class: stalled.length > 0 ? 'verdict alarm' : 'verdict quiet' },
        stalled.length > 0 ? `Stalled at ${stalled.join(' and ')}: the stages before it wait.` : 'Nobody waits.',
      ),
    );
  }
}
