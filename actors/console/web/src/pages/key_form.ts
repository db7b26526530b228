// Asks for the owner's key, for the page alone: its text, or its file, and its passphrase.
import { bytes } from '../core/format.ts';
import { Failure } from '../playback/failure.ts';
import type { GivenKey } from '../playback/worker_messages.ts';
import { h, setText } from '../ui/dom.ts';

const keyFileSizeMax = 16_384;

export interface KeyFormUse {
  promise: string; // What becomes of the key, in a sentence.
  button: string;
  busy: string; // The button's word meanwhile.
  /** What is done with the key; the fields are emptied when it succeeded. */
  use(given: GivenKey): Promise<void>;
  failed(failure: Failure): void;
}

export class KeyForm {
  readonly element: HTMLElement;
  private readonly keyText = h('textarea', {
    rows: 3,
    spellcheck: false,
    autocomplete: 'off',
    'aria-label': 'Key file',
    maxlength: keyFileSizeMax,
    placeholder: '{"box_public":"…  the text of NAME.key, or choose the file',
  });
  private readonly passphrase = h('input', {
    type: 'password',
    autocomplete: 'off',
    'aria-label': 'Passphrase',
    placeholder: 'if the key has one',
    maxlength: 1024,
  });
  private readonly button: HTMLButtonElement;

  constructor(private readonly what: KeyFormUse) {
    this.button = h('button', { type: 'submit', class: 'primary' }, what.button);
    const file = h('input', {
      type: 'file',
      accept: '.key,application/json',
      'aria-label': 'Key file to read',
      onchange: () => void this.readFile(file),
    });
    this.element = h(
      'form',
      {
        class: 'form key-form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          void this.submit();
        },
      },
      h('p', { class: 'quiet' }, what.promise),
      h('label', {}, h('span', {}, 'Key file'), this.keyText),
      h('label', {}, h('span', {}, 'or choose it'), file),
      h('label', {}, h('span', {}, 'Passphrase'), this.passphrase),
      h('div', { class: 'buttons' }, this.button),
    );
  }

  focus(): void {
    this.keyText.focus();
  }

  private async readFile(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (file && file.size <= keyFileSizeMax) this.keyText.value = await file.text();
    else if (file) this.what.failed(new Failure('malformed', `${file.name} has ${bytes(file.size)}: that is no key file`));
  }

  private async submit(): Promise<void> {
    this.button.disabled = true;
    setText(this.button, this.what.busy);
    try {
      await this.what.use({ keyFile: this.keyText.value.trim(), passphrase: this.passphrase.value });
      this.keyText.value = this.passphrase.value = '';
    } catch (error) {
      this.what.failed(error as Failure);
    } finally {
      this.button.disabled = false;
      setText(this.button, this.what.button);
    }
  }
}
