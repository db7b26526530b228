// Dialogs: what an action will do is said before it is done.
import type { Api } from '../net/api.ts';
import { sentence } from '../core/format.ts';
import type { Consequence } from '../core/types.ts';
import { h, setText } from './dom.ts';
import { notice } from './notice.ts';

export interface Action {
  title: string; // "Restart storage/store"
  button: string; // "Restart"
  danger: boolean;
  consequenceAt: string; // Where the node says what will follow.
  run(): Promise<unknown>;
  done: string; // Said when the node has agreed.
}

/** Shows `body` as a modal dialog; the answer is whether it was confirmed. Escape and Cancel are no. */
export function ask(title: string, body: HTMLElement, confirm: HTMLButtonElement): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
    const form = h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      body,
      h('div', { class: 'buttons' }, cancel, confirm),
    );
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    form.addEventListener('submit', () => {
      dialog.returnValue = 'yes';
    });
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}

/** Shows `body` until it is closed; nothing of it stays in the page. */
export function tell(title: string, body: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const close = h('button', { type: 'button', onclick: () => dialog.close() }, 'Close');
    const dialog = h(
      'dialog',
      { 'aria-labelledby': 'dialog-title' },
      h('h2', { id: 'dialog-title' }, title),
      body,
      h('div', { class: 'buttons' }, close),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks the node what `action` would do, shows it (below `form`, if there is one), and does it if it is confirmed. */
export async function confirmAndRun(api: Api, action: Action, form?: HTMLElement): Promise<void> {
  const text = h('p', { class: 'consequence', role: 'status' }, 'Asking the node what this does …');
  const confirm = h(
    'button',
    { type: 'submit', class: action.danger ? 'danger' : 'primary', disabled: true },
    action.button,
  );
  api.get<Consequence>(action.consequenceAt).then(
    (consequence) => {
      setText(text, sentence(consequence.text));
      confirm.disabled = false;
    },
    (error: Error) =>
      setText(text, `The node does not say what this would do, so it cannot be done from here: ${error.message}`),
  );
  const body = h('div', {}, form, text, h('p', { class: 'quiet' }, 'It is written to the audit log.'));
  if (!(await ask(action.title, body, confirm))) return;
  try {
    await action.run();
    notice(action.done);
  } catch (error) {
    notice(`${action.button} was refused: ${(error as Error).message}`, 'bad');
  }
}
