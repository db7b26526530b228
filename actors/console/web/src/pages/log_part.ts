// The newest log lines of a path or a session, asked for every two seconds while the page is seen.
import type { LogLine } from '../core/types.ts';
import { clock, exactMoment } from '../core/format.ts';
import type { Api } from '../net/api.ts';
import { h, replace } from '../ui/dom.ts';
import { panel } from '../ui/parts.ts';

const everyMs = 2_000;
const linesMax = 200;
const levels = ['trace', 'debug', 'info', 'warn', 'error'];

export class LogPart {
  readonly element: HTMLElement;
  private readonly lines = h(
    'div',
    { class: 'lines', role: 'log', tabindex: 0, 'aria-label': 'Log lines' },
    h('p', { class: 'quiet' }, 'No line yet.'),
  );
  private readonly level = h(
    'select',
    { 'aria-label': 'Least level', onchange: () => void this.ask() },
    levels.map((level) => h('option', { value: level, selected: level === 'debug' }, `${level} and above`)),
  );
  private readonly timer = setInterval(() => void this.ask(), everyMs);
  private drawn = '';

  constructor(
    private readonly api: Api,
    private readonly of: string,
  ) {
    this.element = panel('Log', this.lines, this.level);
    void this.ask();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<void> {
    if (document.hidden) return;
    const told = await this.api
      .get<{ lines: LogLine[] }>(`/v1/log?${this.of}&level=${this.level.value}&count=${linesMax}`)
      .catch(() => undefined);
    if (!told) return; // The page already says that the node does not answer.
    const shown = JSON.stringify(told.lines.at(-1) ?? '') + told.lines.length + this.level.value;
    if (shown === this.drawn) return;
    this.drawn = shown;
    const atEnd = this.lines.scrollTop + this.lines.clientHeight >= this.lines.scrollHeight - 8;
    replace(
      this.lines,
      told.lines.length === 0
        ? h('p', { class: 'quiet' }, 'No line of this level.')
        : told.lines.map((line) =>
            h(
              'div',
              { class: `line ${line.level}` },
              h('time', { title: exactMoment(line.at_us) }, clock(line.at_us)),
              h('b', {}, line.level),
              h('span', {}, line.text),
            ),
          ),
    );
    if (atEnd) this.lines.scrollTop = this.lines.scrollHeight;
  }
}
