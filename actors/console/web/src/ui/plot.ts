// One line over time, by uPlot, which is loaded with the first plot.
import type uPlot from 'uplot';
import { h } from './dom.ts';
import { colour, onTheme } from './theme.ts';

const plotHeight = 132;
const wholeSteps = [1, 2, 5].flatMap((step) => Array.from({ length: 9 }, (_, i) => step * 10 ** i)).sort((a, b) => a - b);

export interface PlotOptions {
  title: string;
  colourOf: string;
  value(value: number): string;
  top?: number;
  whole?: boolean;
}

/** A sliding window of samples `intervalS` apart, the last one now. Owns its canvas; `close` ends it. */
export class Plot {
  readonly element = h('figure', { class: 'plot' });
  private readonly box = h('div', { class: 'canvas-box' });
  private readonly now = h('output', {});
  private plot: uPlot | undefined;
  private values: number[] = [];
  private intervalS = 1;
  private readonly watching = new ResizeObserver(() => this.resize());
  private readonly endTheme = onTheme(() => void this.build());
  private closed = false;

  constructor(private readonly options: PlotOptions) {
    this.element.append(h('figcaption', {}, options.title, this.now), this.box);
    this.watching.observe(this.box);
    void this.build();
  }

  show(values: readonly number[], intervalS: number): void {
    this.values = [...values];
    this.intervalS = intervalS;
    this.redraw();
  }

  append(value: number, countMax: number): void {
    this.values.push(value);
    if (this.values.length > countMax) this.values.shift();
    this.redraw();
  }

  close(): void {
    this.closed = true;
    this.watching.disconnect();
    this.endTheme();
    this.plot?.destroy();
  }

  private redraw(): void {
    this.now.textContent = this.values.length > 0 ? this.options.value(this.values.at(-1)!) : '';
    this.plot?.setData(this.data());
  }

  private data(): [number[], number[]] {
    const last = this.values.length - 1;
    return [this.values.map((_, i) => (i - last) * this.intervalS), this.values];
  }

  private async build(): Promise<void> {
    const { default: Maker } = await import('uplot');
    if (this.closed) return;
    this.plot?.destroy();
    const { options } = this;
    const line = colour(options.colourOf);
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    this.plot = new Maker(
      {
        width: Math.max(80, this.box.clientWidth),
        height: plotHeight,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 14, 0, 0],
        scales: { x: { time: false }, y: { range: (_, __, max) => [0, options.top ?? Math.max(1, max * 1.15)] } },
        axes: [
          { ...axis, size: 22, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? 'now' : `${tick} s`)) },
          {
            ...axis,
            size: 54,
            values: (_, ticks) => ticks.map(options.value),
            ...(options.whole ? { incrs: wholeSteps } : {}),
          },
        ],
        series: [{}, { stroke: line, width: 1.5, fill: `${line}22`, points: { show: false } }],
      },
      this.data(),
      this.box,
    );
  }

  private resize(): void {
    this.plot?.setSize({ width: Math.max(80, this.box.clientWidth), height: plotHeight });
  }
}
