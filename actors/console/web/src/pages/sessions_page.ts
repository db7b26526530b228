// All recordings, newest first; running ones move.
import type { App, Page } from '../app.ts';
import { bytes, count, duration } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Session } from '../core/types.ts';
import { ask } from '../ui/dialog.ts';
import { h, replace, setText } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { notice } from '../ui/notice.ts';
import { loading, panel, sessionLink, showFailure, stateMark, table, time } from '../ui/parts.ts';
import { failureView } from './failure_view.ts';
import { KeyForm } from './key_form.ts';
import { Thumbnails } from './thumbnails.ts';

const pageCount = 200;

export const isRunning = ({ state }: Session) =>
  state === 'created' || state === 'recording' || state === 'sealing' || state === 'storing' || state === 'anchoring';
export const hasManifest = ({ state }: Session) => state === 'anchoring' || state === 'completed' || state === 'interrupted';
export const lengthUs = (s: Session) => (s.started_us === 0 ? 0 : (s.ended_us || Date.now() * 1000) - s.started_us);

const list = (sessions: Session[], thumbnails: Thumbnails) =>
  table(
    [
      ...(thumbnails.on
        ? [{ title: 'Thumbnail', class: 'thumbnail-column', cell: (s: Session) => thumbnails.cell(s, hasManifest(s)) }]
        : []),
      { title: 'State', class: 'state-column', cell: (s) => stateMark(s.state) },
      {
        title: 'Title',
        class: 'wide',
        cell: (s) => h('a', { href: addressOf('session', s.id) }, s.title || s.source || s.id.slice(0, 12)),
      },
      { title: 'Owner', cell: (s) => s.owner },
      { title: 'Started', class: 'when', cell: (s) => time(s.started_us || s.created_us) },
      { title: 'Length', class: 'number', cell: (s) => duration(lengthUs(s)) },
      { title: 'Frames', class: 'number', cell: (s) => count(s.frame_count) },
      { title: 'Captured', class: 'number', cell: (s) => bytes(s.captured_bytes) },
      { title: 'Stored', class: 'number', cell: (s) => bytes(s.stored_bytes) },
      {
        title: 'Gaps',
        class: 'number',
        cell: (s) => h('span', { class: s.gap_count > 0 ? 'alarm' : '' }, count(s.gap_count)),
      },
      { title: 'Id', cell: (s) => sessionLink(s.id) },
    ],
    sessions,
    'There is none yet. "New recording" starts one, as does `lucid record`.',
  );

function field(label: string, name: string, attributes: Record<string, string | number | boolean> = {}): HTMLElement {
  return h('label', {}, h('span', {}, label), h('input', { name, autocomplete: 'off', ...attributes }));
}

/** The form's members that were filled in; numbers as numbers, recipients as a list. */
function wishOf(form: HTMLElement): Record<string, unknown> {
  const wish: Record<string, unknown> = {};
  for (const input of form.querySelectorAll('input')) {
    const value = input.value.trim();
    if (value === '') continue;
    if (input.type === 'number') wish[input.name] = Number(value);
    else if (input.name === 'recipients') wish[input.name] = value.split(/[\s,]+/);
    else wish[input.name] = value;
  }
  return wish;
}

class SessionsPage implements Page {
  readonly title = 'Sessions';
  readonly topics = ['sessions', 'node'];
  readonly element: HTMLElement;
  readonly shortcuts = [
    { keys: '/', what: 'filter', run: () => this.search.focus() },
    { keys: 'n', what: 'new recording', run: () => void this.start() },
    { keys: 't', what: 'thumbnails', run: () => this.toggleThumbnails() },
  ];
  private readonly body = h('div', {}, loading());
  private readonly summary = h('span', { class: 'quiet summary', role: 'status' });
  private readonly search = h('input', {
    type: 'search',
    placeholder: 'Filter by title, owner, source, state or id',
    'aria-label': 'Filter',
    oninput: () => this.show(),
  });
  private readonly more = h('button', { type: 'button', hidden: true, onclick: () => void this.load() }, 'Older ones');
  private readonly thumbnails = new Thumbnails(() => this.showAnew());
  private readonly thumbnailsButton = h('button', {
    type: 'button',
    'aria-expanded': 'false',
    onclick: () => this.toggleThumbnails(),
  });
  private readonly keyPanel = h('div', { hidden: true });
  private readonly fetched = new Map<string, Session>();
  private drawn = '';

  constructor(private readonly app: App) {
    this.element = h(
      'div',
      { class: 'page' },
      h(
        'div',
        { class: 'toolbar' },
        this.search,
        this.summary,
        this.thumbnailsButton,
        h('button', { type: 'button', class: 'primary', onclick: () => void this.start() }, 'New recording …'),
      ),
      this.keyPanel,
      panel('Sessions', this.body),
      h('div', { class: 'buttons' }, this.more),
    );
    this.showThumbnailsButton();
    void this.load();
  }

  update(): void {
    this.show();
    void this.thumbnails.work();
  }

  close(): void {
    this.thumbnails.close();
  }

  /** Asks for the key, takes the question back, or forgets the key. */
  private toggleThumbnails(): void {
    if (this.thumbnails.on) {
      this.thumbnails.stop();
      this.showAnew();
    } else if (this.keyPanel.hidden) this.askForKey();
    else this.hideKeyPanel();
    this.showThumbnailsButton();
  }

  private askForKey(): void {
    const problem = h('div', { role: 'alert' });
    const form = new KeyForm({
      promise:
        'Thumbnails are made in this page: of each recording in view it fetches the first chunk, at most 16 MiB. ' +
        'The key is never sent to the node, and is forgotten when the page is left.',
      button: 'Show thumbnails',
      busy: 'Opening …',
      use: async (given) => {
        replace(problem);
        await this.thumbnails.start(given);
        this.hideKeyPanel();
        this.showThumbnailsButton();
        this.thumbnailsButton.focus(); // The button that had it is gone.
      },
      failed: (failure) => replace(problem, failureView(failure)),
    });
    replace(this.keyPanel, panel('Thumbnails', h('div', {}, problem, h('div', { class: 'playback' }, form.element))));
    this.keyPanel.hidden = false;
    form.focus();
  }

  /** And forgets what was typed into it. */
  private hideKeyPanel(): void {
    this.keyPanel.hidden = true;
    replace(this.keyPanel);
  }

  private showThumbnailsButton(): void {
    const { on } = this.thumbnails;
    setText(this.thumbnailsButton, on ? 'Forget the key' : 'Thumbnails …');
    this.thumbnailsButton.title = on ? 'Ends the thumbnails' : 'Needs the key file of an owner';
    this.thumbnailsButton.setAttribute('aria-expanded', String(!this.keyPanel.hidden));
  }

  private async load(): Promise<void> {
    try {
      const { sessions } = await this.app.api.get<{ sessions: Session[] }>(
        `/v1/sessions?offset=${this.fetched.size}&count=${pageCount}`,
      );
      for (const session of sessions) this.fetched.set(session.id, session);
      this.more.hidden = sessions.length < pageCount;
      this.show();
    } catch (error) {
      showFailure(this.body, error as Error);
    }
  }

  private show(): void {
    const all = new Map([...this.fetched, ...this.app.sessions.items]);
    const words = this.search.value.toLowerCase().split(/\s+/);
    const found = [...all.values()]
      .filter((s) => {
        const hay = `${s.title} ${s.owner} ${s.source} ${s.state} ${s.id}`.toLowerCase();
        return words.every((word) => hay.includes(word));
      })
      .sort((a, b) => b.created_us - a.created_us);
    setText(this.summary, `${found.filter(isRunning).length} running, ${found.length} shown`);
    const drawn = JSON.stringify(found) + Math.floor(Date.now() / 1000) * Number(found.some(isRunning));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    morphInto(this.body, list(found, this.thumbnails));
    this.thumbnails.watch(this.body);
  }

  private showAnew(): void {
    this.drawn = '';
    this.show();
  }

  private async start(): Promise<void> {
    const form = h(
      'div',
      { class: 'form' },
      field('Source', 'source', {
        required: true,
        placeholder: 'rdp://user@host, x11://:0, file:PATH',
        maxlength: 2000,
        autofocus: true,
      }),
      field('Title', 'title', { maxlength: 200 }),
      field('Owner', 'owner', { maxlength: 200 }),
      field('User name', 'username', { maxlength: 200 }),
      field('Password (kept in memory while it runs)', 'password', { type: 'password', maxlength: 1024 }),
      field('Recipients: public keys, 64 digits each', 'recipients', { placeholder: 'as configured' }),
      field('At most, seconds', 'length_seconds_max', { type: 'number', min: 0, placeholder: 'as configured' }),
      h(
        'p',
        { class: 'consequence' },
        'Recording begins at once and goes on until it is stopped, its source ends or its time is over. ' +
          'It is written to the audit log.',
      ),
    );
    if (!(await ask('New recording', form, h('button', { type: 'submit', class: 'primary' }, 'Record')))) return;
    try {
      const session = await this.app.api.post<Session>('/v1/sessions', wishOf(form));
      this.app.go('session', session.id);
    } catch (error) {
      notice(`It was not started: ${(error as Error).message}`, 'bad');
    }
  }
}

export const makeSessionsPage = (app: App): Page => new SessionsPage(app);
