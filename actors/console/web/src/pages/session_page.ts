// One recording: how it is getting on, what it holds, whether it is intact, and its picture.
import type { App, Page } from '../app.ts';
import { chainOwner } from '../core/cluster.ts';
import { bytes, count, duration, plural } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import { applyToObject, type ObjectDifference } from '../core/store.ts';
import type { ChunkRecord, Cluster, Flow, Member, Session, Stage, Verdict } from '../core/types.ts';
import { segment } from '../net/api.ts';
import type { Topical } from '../net/stream.ts';
import { confirmAndRun } from '../ui/dialog.ts';
import { h, replace } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { FlowView } from '../ui/flow_view.ts';
import { facts, hex, loading, panel, showFailure, stateMark, table, time, wholeHex } from '../ui/parts.ts';
import { LogPart } from './log_part.ts';
import { PlaybackPart } from './playback_part.ts';
import { hasManifest, isRunning, lengthUs } from './sessions_page.ts';

const chunksShownMax = 200;
const steps = ['recording', 'sealing', 'storing', 'anchoring', 'completed'];

/** The states in their order, the present one marked. */
function progress({ state }: Session): HTMLElement {
  const last = state === 'interrupted' || state === 'failed' ? state : 'completed';
  const names = [...steps.slice(0, -1), last];
  const at = names.indexOf(state);
  return h(
    'ol',
    { class: 'steps', 'aria-label': 'Progress' },
    names.map((name, i) =>
      h(
        'li',
        { class: i < at ? 'past' : i === at ? `present ${name}` : '', 'aria-current': i === at ? 'step' : undefined },
        name,
      ),
    ),
  );
}

const about = (s: Session) =>
  facts([
    ['title', s.title || '–'],
    ['owner', s.owner || '–'],
    ['source', s.source],
    ['session', wholeHex(s.id)],
    ['started', time(s.started_us)],
    ['ended', s.state === 'recording' || s.ended_us === 0 ? 'not yet' : time(s.ended_us)],
    ['length', duration(lengthUs(s))],
    ...(s.reason === '' ? [] : [['because', s.reason] as const]),
  ]);

/** A block of this node's own chain can be looked at here; of another node's chain it is told whose. */
const anchored = (s: Session, owner: string) =>
  s.block_height === 0
    ? 'not yet'
    : s.block_producer === ''
      ? h('a', { href: addressOf('ledger', String(s.block_height)) }, `block ${count(s.block_height)}`)
      : `block ${count(s.block_height)} of the chain of ${owner}`;

const measures = (s: Session, owner: string) =>
  facts([
    ['frames', count(s.frame_count)],
    ['fragments', count(s.fragment_count)],
    [
      'gaps',
      h(
        'span',
        { class: s.gap_count > 0 ? 'alarm' : '' },
        s.gap_count === 0 ? 'none' : `${plural(s.gap_count, 'stretch was', 'stretches were')} not seen`,
      ),
    ],
    ['captured', bytes(s.captured_bytes)],
    ['stored', bytes(s.stored_bytes)],
    ['chunks', count(s.chunk_count)],
    ['interrupted', s.interrupted ? 'yes, by a crash or loss of power' : 'no'],
    ['anchored', anchored(s, owner)],
  ]);

const chunkTable = (chunks: ChunkRecord[]) =>
  table(
    [
      { title: 'Track', cell: (c) => c.track },
      { title: 'Chunk', class: 'number', cell: (c) => count(c.index) },
      { title: 'Begins', class: 'when', cell: (c) => time(c.start_us) },
      { title: 'Length', class: 'number', cell: (c) => duration(c.end_us - c.start_us) },
      { title: 'Frames', class: 'number', cell: (c) => count(c.frame_count) },
      { title: 'Plain', class: 'number', cell: (c) => bytes(c.plain_size_bytes) },
      { title: 'Sealed', class: 'number', cell: (c) => bytes(c.sealed_size_bytes) },
      { title: 'Root', cell: (c) => hex(c.root) },
      { title: 'Content', class: 'wide', cell: (c) => hex(c.content) },
    ],
    chunks,
    'None is stored yet.',
  );

function verdictView(told: Verdict): Node {
  return h(
    'div',
    {},
    h('p', { class: `verdict ${told.damage.length > 0 ? 'alarm' : ''}` }, told.verdict),
    table(
      [
        { title: 'Check', cell: (c) => c.name },
        {
          title: 'Verdict',
          cell: (c) =>
            h('span', { class: c.verdict === 'ok' ? 'good' : c.verdict === 'FAIL' ? 'alarm' : 'quiet' }, c.verdict),
        },
        { title: 'Found', class: 'wide', cell: (c) => c.found },
      ],
      told.checks,
      'Nothing was checked.',
    ),
    told.damage.length === 0
      ? ''
      : table(
          [
            { title: 'Track', cell: (d) => d.track },
            { title: 'Chunk', class: 'number', cell: (d) => count(d.chunk) },
            { title: 'Block', class: 'number', cell: (d) => count(d.block) },
            { title: 'Byte offset', class: 'number wide', cell: (d) => count(d.offset) },
          ],
          told.damage,
          '',
        ),
  );
}

class SessionPage implements Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly topics: readonly string[];
  private readonly name = h('h1', {});
  private readonly buttons = h('div', { class: 'buttons' });
  private readonly steps = h('div', { class: 'now' });
  private readonly about = h('div', {}, loading());
  private readonly measures = h('div', {});
  private readonly chunks = h('div', {}, loading());
  private readonly manifest = h('div', {});
  private readonly verdict = h(
    'div',
    {},
    h('p', { class: 'quiet' }, 'Reads every chunk once: hashes, signature, tree and anchor. Needs no key.'),
  );
  private readonly later = h('div', { class: 'later' });
  private readonly flow = new FlowView();
  private readonly flowPanel = panel('Flow', this.flow.element);
  private readonly log: LogPart;
  private readonly flowing: Record<string, unknown> = {};
  private playback: PlaybackPart | undefined;
  private session: Session | undefined;
  private finished = false;
  private members: Member[] = [];

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {
    this.title = `Session ${id.slice(0, 12)}`;
    this.topics = ['sessions', 'node', `flow:${id}`];
    this.log = new LogPart(app.api, `session=${segment(id)}`);
    this.element = h(
      'div',
      { class: 'page' },
      h('div', { class: 'heading' }, this.name, this.steps, this.buttons),
      this.flowPanel,
      h('div', { class: 'columns' }, panel('Recording', this.about), panel('What it holds', this.measures)),
      this.later,
      panel('Chunks', this.chunks),
      this.log.element,
    );
    void this.load();
  }

  update(message: Topical): void {
    const { topic } = message;
    if (topic === `flow:${this.id}`) {
      applyToObject(this.flowing, message as unknown as ObjectDifference);
      this.flow.show((this.flowing.stages ?? []) as Stage[]);
    }
    const session = this.app.sessions.items.get(this.id);
    if (topic === 'sessions' && session) this.show(session);
  }

  close(): void {
    this.flow.close();
    this.log.close();
    this.playback?.close();
  }

  private at(rest = ''): string {
    return `/v1/sessions/${segment(this.id)}${rest}`;
  }

  private async load(): Promise<void> {
    try {
      const session = await this.app.api.get<Session>(this.at());
      this.show(session);
      const [flow] = await Promise.all([
        isRunning(session) ? this.app.api.get<Flow>(this.at('/flow')) : undefined,
        this.loadChunks(),
      ]);
      this.flow.show(flow?.stages ?? []);
    } catch (error) {
      showFailure(this.about, error as Error);
    }
  }

  private async loadChunks(): Promise<void> {
    const { chunks } = await this.app.api.get<{ chunks: ChunkRecord[] }>(this.at('/chunks'));
    const draw = (shown: ChunkRecord[]) =>
      replace(
        this.chunks,
        chunkTable(shown),
        shown.length === chunks.length
          ? undefined
          : h('button', { type: 'button', onclick: () => draw(chunks) }, `Show all ${count(chunks.length)}`),
      );
    draw(chunks.slice(0, chunksShownMax));
  }

  private show(session: Session): void {
    const before = this.session;
    this.session = session;
    replace(this.name, session.title || session.id.slice(0, 12));
    replace(this.steps, progress(session), session.state === 'failed' ? stateMark('failed') : undefined);
    morphInto(this.about, about(session));
    this.showMeasures(session);
    this.flowPanel.hidden = !isRunning(session);
    if (before?.state !== session.state) this.showButtons(session);
    if (before?.block_producer !== session.block_producer && session.block_producer !== '') void this.loadMembers();
    if (before && before.block_height !== session.block_height && this.finished) void this.loadManifest();
    if (before && before.chunk_count !== session.chunk_count) void this.loadChunks().catch(() => undefined);
    if (hasManifest(session) && !this.finished) {
      this.finished = true;
      this.showLater();
    }
  }

  private showMeasures(session: Session): void {
    morphInto(this.measures, measures(session, chainOwner(session.block_producer, this.members)));
  }

  /** Who has the chain that it is anchored in; without an answer its key says so. */
  private async loadMembers(): Promise<void> {
    const cluster = await this.app.api.get<Cluster>('/v1/cluster').catch(() => undefined);
    this.members = cluster?.members ?? [];
    if (this.session) this.showMeasures(this.session);
  }

  /** What there is only once the recording has ended. */
  private showLater(): void {
    this.playback = new PlaybackPart(this.id);
    const verify = h('button', { type: 'button', onclick: () => void this.verify(verify) }, 'Verify');
    const links = h(
      'span',
      { class: 'inline' },
      h('a', { class: 'button', href: this.at('/manifest'), download: `${this.id}.manifest.json` }, 'Manifest'),
      h('a', { class: 'button', href: this.at('/proof'), download: `${this.id}.proof.json` }, 'Proof'),
    );
    replace(
      this.later,
      this.playback.element,
      h(
        'div',
        { class: 'columns' },
        panel('Verification', this.verdict, verify),
        panel('Manifest and anchor', this.manifest, links),
      ),
    );
    void this.loadManifest();
  }

  private async loadManifest(): Promise<void> {
    try {
      const manifest = await this.app.api.get<{
        root: string;
        recorder: string;
        software: string;
        keys: { recipient: string }[];
        key_commitment: string;
      }>(this.at('/manifest'));
      replace(
        this.manifest,
        facts([
          ['root', wholeHex(manifest.root)],
          ['recorder', wholeHex(manifest.recorder)],
          ['key commitment', wholeHex(manifest.key_commitment)],
          [
            'sealed for',
            h(
              'div',
              {},
              manifest.keys.map(({ recipient }) => h('div', {}, wholeHex(recipient))),
            ),
          ],
          ['software', manifest.software],
          ...(this.session?.block_producer
            ? []
            : [['in the ledger', h('a', { href: addressOf('ledger', this.id) }, 'look it up')] as const]),
        ]),
      );
    } catch (error) {
      showFailure(this.manifest, error as Error);
    }
  }

  private async verify(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    replace(this.verdict, h('p', { class: 'quiet', role: 'status' }, 'Reading every chunk …'));
    try {
      const told = await this.app.api.post<Verdict>(this.at('/verify'));
      replace(this.verdict, verdictView(told));
    } catch (error) {
      showFailure(this.verdict, error as Error);
    } finally {
      button.disabled = false;
    }
  }

  private showButtons(session: Session): void {
    const button = (name: string, run: () => Promise<void>, danger = false) =>
      h('button', { type: 'button', class: danger ? 'danger' : '', onclick: () => void run() }, `${name} …`);
    replace(
      this.buttons,
      isRunning(session)
        ? [
            session.state === 'recording'
              ? [button('Extend', () => this.extend()), button('Stop', () => this.stop(), true)]
              : undefined,
          ]
        : button('Remove', () => this.remove(), true),
    );
  }

  private stop(): Promise<void> {
    return confirmAndRun(this.app.api, {
      title: 'Stop this recording?',
      button: 'Stop',
      danger: true,
      consequenceAt: this.at('/consequence?action=stop'),
      run: () => this.app.api.post(this.at('/stop'), { reason: 'stopped in the console' }),
      done: 'It is being sealed and anchored.',
    });
  }

  private remove(): Promise<void> {
    return confirmAndRun(this.app.api, {
      title: 'Remove this recording?',
      button: 'Remove',
      danger: true,
      consequenceAt: this.at('/consequence?action=remove'),
      run: () => this.app.api.remove(this.at()).then(() => this.app.go('sessions')),
      done: `Session ${this.id.slice(0, 12)} was removed.`,
    });
  }

  private extend(): Promise<void> {
    const minutes = h('input', { type: 'number', min: 1, value: 30, required: true });
    const seconds = () => Math.round(minutes.valueAsNumber * 60);
    return confirmAndRun(
      this.app.api,
      {
        title: 'Extend this recording?',
        button: 'Extend',
        danger: false,
        consequenceAt: this.at('/consequence?action=extend'),
        run: () => this.app.api.post(this.at('/extend'), { seconds: seconds() }),
        done: 'It may go on for longer.',
      },
      h('div', { class: 'form' }, h('label', {}, h('span', {}, 'By minutes'), minutes)),
    );
  }
}

export const makeSessionPage = (app: App, id: string): Page => new SessionPage(app, id);
