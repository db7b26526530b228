// Short words at the bottom of the page, read out by screen readers.
import { h } from './dom.ts';

const shownMs = 6_000;
const shownMax = 3;
const region = h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });

export const noticeRegion = () => region;

export function notice(text: string, kind: 'good' | 'bad' = 'good'): void {
  const line = h('div', { class: `notice ${kind}` }, text);
  region.append(line);
  while (region.childElementCount > shownMax) region.firstElementChild!.remove();
  setTimeout(() => line.remove(), shownMs);
}
