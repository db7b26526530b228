// Keys: one letter acts, "g" and a letter goes to a page. They are listed by "?".
import { h } from './dom.ts';

export interface Shortcut {
  keys: string;
  what: string;
  run(): void;
}

const sequenceMs = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Owns the keyboard of the page; a page's own keys are set anew with each page. */
export class Shortcuts {
  private page: Shortcut[] = [];
  private began = '';
  private beganAtMs = 0;

  constructor(private readonly everywhere: Shortcut[]) {
    document.addEventListener('keydown', (event) => this.press(event));
  }

  ofPage(shortcuts: Shortcut[]): void {
    this.page = shortcuts;
  }

  help(): void {
    const lines = (title: string, list: Shortcut[]) =>
      list.length === 0
        ? []
        : [
            h('h3', {}, title),
            h(
              'dl',
              { class: 'keys' },
              list.map(({ keys, what }) => [
                h(
                  'dt',
                  {},
                  keys.split(' ').map((key) => h('kbd', {}, key)),
                ),
                h('dd', {}, what),
              ]),
            ),
          ];
    const dialog = h(
      'dialog',
      { 'aria-label': 'Keys' },
      h('h2', {}, 'Keys'),
      lines('This page', this.page),
      lines('Everywhere', this.everywhere),
      h('form', { method: 'dialog', class: 'buttons' }, h('button', { autofocus: true }, 'Close')),
    );
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (isTyping(event.target)) {
      // In a filled search field the browser's own Escape empties it first.
      const search = event.target as HTMLInputElement;
      if (event.key === 'Escape' && !(search.type === 'search' && search.value !== '')) search.blur();
      return;
    }
    const keys =
      event.timeStamp - this.beganAtMs < sequenceMs && this.began !== '' ? `${this.began} ${event.key}` : event.key;
    const found = [...this.page, ...this.everywhere].find((shortcut) => shortcut.keys === keys);
    this.began = found || keys !== event.key ? '' : event.key;
    this.beganAtMs = event.timeStamp;
    if (!found) return;
    event.preventDefault();
    found.run();
  }
}
