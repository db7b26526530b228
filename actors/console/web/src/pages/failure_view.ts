// Why a recording does not open, and what helps.
import type { Failure } from '../playback/failure.ts';
import { h } from '../ui/dom.ts';

const remedies: Record<Failure['code'], string> = {
  wrong_key: 'Give the key file of a recipient, and its passphrase if it has one.',
  damaged: 'Nothing of it is shown. "Verify" says which blocks are damaged.',
  malformed: 'Give the whole text of a key file: it is the file NAME.key in the folder of the keys.',
  unsupported: 'Another browser may do it; `lucid play` does.',
  unreachable: 'Try again when the node answers.',
};
const titles: Record<Failure['code'], string> = {
  wrong_key: 'Wrong key',
  damaged: 'Damage',
  malformed: 'Not what it should be',
  unsupported: 'Not possible here',
  unreachable: 'No answer',
};

/** `onward` is a button for what can be done all the same. */
export const failureView = (failure: Failure, onward?: HTMLButtonElement): HTMLElement =>
  h(
    'div',
    { class: 'failure' },
    h('strong', {}, `${titles[failure.code] ?? 'Failed'}. `),
    `${failure.message}. `,
    h('span', { class: 'quiet' }, remedies[failure.code] ?? ''),
    onward,
  );
