// One actor: what it is, how it is doing, what it was, and what may be done to it.
import type { App, Page } from '../app.ts';
import { isOtherNode, otherNodeOf } from '../core/actor_list.ts';
import { count, duration, nanoseconds, plural, rate, share, shortPath, typeName } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Actor, ActorDetail } from '../core/types.ts';
import { segment } from '../net/api.ts';
import type { Tapped, Topical } from '../net/stream.ts';
import { confirmAndRun } from '../ui/dialog.ts';
import { h, replace } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { actorLink, facts, hex, loading, panel, showFailure, stateMark, table, time } from '../ui/parts.ts';
import { Plot } from '../ui/plot.ts';
import { LogPart } from './log_part.ts';
import { TapPart } from './tap_part.ts';

const samplesMax = 120;

/** Draws `draw(actor)` into `element` whenever what it shows has changed. */
interface Part {
  element: HTMLElement;
  shows(actor: Actor): unknown;
  draw(actor: Actor): Node;
  drawn: string;
}

const part = (shows: Part['shows'], draw: Part['draw']): Part => ({ element: h('div', {}), shows, draw, drawn: '' });

function specification(a: Actor): Node {
  return facts([
    ['kind', a.kind],
    ['parent', a.parent === '' ? 'none: the root' : actorLink(a.parent)],
    ['restart', a.restart_kind + (a.significant ? ', significant' : '')],
    ...(a.supervisor
      ? [
          ['strategy', (a.strategy ?? '') + (a.dynamic ? ', children come and go' : '')] as const,
          [
            'gives up',
            a.restarts_max === undefined
              ? ''
              : `beyond ${count(a.restarts_max)} restarts in ${count((a.period_ms ?? 0) / 1000)} s`,
          ] as const,
        ]
      : []),
    ['shutdown', `${count(a.shutdown_timeout_ms)} ms`],
    ['incarnation', count(a.incarnation)],
    ['started', time(a.started_us)],
    ['handled', count(a.handled_count)],
    ['dead letters', count(a.dead_letter_count)],
    ['now', a.running_ns > 0 ? `in a handler for ${nanoseconds(a.running_ns)}` : a.answered ? 'idle' : 'does not answer'],
  ]);
}

const ownState = (a: Actor) => {
  const rows = Object.entries(a.state);
  return rows.length > 0
    ? facts(rows)
    : h('p', { class: 'quiet' }, a.answered ? 'It tells nothing.' : 'It did not answer when asked.');
};

const handlers = (a: Actor) =>
  table(
    [
      { title: 'Message', class: 'wide', cell: (t) => h('code', { title: t.type }, typeName(t.type)) },
      { title: 'Handled', class: 'number', cell: (t) => count(t.count) },
      { title: 'p50', class: 'number', cell: (t) => nanoseconds(t.p50_ns) },
      { title: 'p99', class: 'number', cell: (t) => nanoseconds(t.p99_ns) },
      { title: 'max', class: 'number', cell: (t) => nanoseconds(t.max_ns) },
    ],
    [...a.handler_by_type].sort((x, y) => y.count - x.count || (x.type < y.type ? -1 : 1)),
    'No message yet.',
  );

const senders = (a: Actor) =>
  table(
    [
      { title: 'From', class: 'wide', cell: (s) => actorLink(s.path) },
      { title: 'Messages', class: 'number', cell: (s) => count(s.count) },
    ],
    a.senders,
    'Nobody yet.',
  );

const incarnations = (a: Actor) =>
  table(
    [
      { title: 'Inc.', class: 'number', cell: (r) => count(r.incarnation) },
      { title: 'Ended', class: 'when', cell: (r) => time(r.at_us) },
      { title: 'Because', class: 'wide text', cell: (r) => r.reason },
    ],
    [...a.restarts].reverse(),
    'None has ended: this is the first.',
  );

class ActorPage implements Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly topics = ['actors', 'node'];

  private readonly head = h('div', { class: 'now' });
  private readonly buttons = h('div', { class: 'buttons' });
  private readonly capsules = h('div', {}, loading());
  private readonly problem = h('div', {});
  private readonly tap: TapPart | undefined; // Of this node's actors, as the log.
  private readonly log: LogPart | undefined;
  private readonly plots = {
    mailbox: new Plot({ title: 'Mailbox', colourOf: '--accent', value: (v) => count(v), whole: true }),
    rate: new Plot({ title: 'Messages a second', colourOf: '--good', value: rate }),
    busy: new Plot({ title: 'Busy', colourOf: '--warn', value: share, top: 1 }),
  };
  private readonly parts = {
    spec: part((a) => ({ ...a, handler_ns: 0, handler_by_type: 0, senders: 0, state: 0, handled: 0 }), specification),
    state: part((a) => [a.state, a.answered], ownState),
    handlers: part((a) => a.handler_by_type, handlers),
    senders: part((a) => a.senders, senders),
    incarnations: part((a) => a.restarts, incarnations),
  };
  private last: Actor | undefined;

  constructor(
    private readonly app: App,
    private readonly path: string,
  ) {
    this.title = shortPath(path);
    const elsewhere = otherNodeOf(path);
    if (elsewhere === '') {
      this.tap = new TapPart(app.stream, path);
      this.log = new LogPart(app.api, `path=${segment(path)}`);
    }
    const { spec, state, handlers: types, senders: from, incarnations: past } = this.parts;
    this.element = h(
      'div',
      { class: 'page' },
      h('div', { class: 'heading' }, h('h1', { title: path }, this.crumbs()), this.head, this.buttons),
      this.problem,
      h('div', { class: 'plots' }, this.plots.mailbox.element, this.plots.rate.element, this.plots.busy.element),
      h(
        'div',
        { class: 'columns' },
        panel('Child specification', spec.element),
        panel('Own state', state.element),
        panel('Handlers by message type', types.element),
        panel('Top senders', from.element),
        panel('Earlier incarnations', past.element),
        elsewhere === '' ? panel('Crash capsules', this.capsules) : undefined,
      ),
      this.log?.element,
      this.tap?.element,
      elsewhere === ''
        ? undefined
        : h('p', { class: 'quiet' }, `Its log lines, its crash capsules and its tap are in the console of ${elsewhere}.`),
    );
    void this.load();
    const known = app.actors.items.get(path);
    if (known) this.show(known);
  }

  update(message: Topical): void {
    if (message.topic === 'tap') return this.tap?.take(message as unknown as Tapped);
    if (message.topic !== 'actors') return;
    const actor = this.app.actors.items.get(this.path);
    if (!actor) return;
    if (this.last) {
      this.plots.mailbox.append(actor.mailbox_length, samplesMax);
      this.plots.rate.append(actor.rate, samplesMax);
      this.plots.busy.append(actor.busy_share, samplesMax);
    }
    this.show(actor);
  }

  close(): void {
    for (const plot of Object.values(this.plots)) plot.close();
    this.tap?.close();
    this.log?.close();
  }

  /** storage / store: each part leads to the actor there, if there is one. */
  private crumbs(): Node[] {
    const segments = this.path.split('/');
    return segments.flatMap((name, i) => {
      const upTo = segments.slice(0, i + 1).join('/');
      const isLast = i === segments.length - 1;
      const shown = shortPath(name);
      return [
        isLast
          ? h('span', {}, shown)
          : h('a', { href: isOtherNode(`${upTo}/x`) ? addressOf('cluster') : addressOf('actor', upTo) }, shown),
        isLast ? h('span', {}) : h('i', {}, '/'),
      ];
    });
  }

  private async load(): Promise<void> {
    try {
      const detail = await this.app.api.get<ActorDetail>(`/v1/actors/${segment(this.path)}`);
      const { interval_s, mailbox, rate: rates, busy } = detail.history;
      this.plots.mailbox.show(mailbox, interval_s);
      this.plots.rate.show(rates, interval_s);
      this.plots.busy.show(busy, interval_s);
      replace(
        this.capsules,
        table(
          [{ title: 'Capsule', cell: (id) => h('a', { href: addressOf('capsule', id) }, hex(id)) }],
          detail.capsules,
          'None: no incarnation ended abnormally.',
        ),
      );
      this.show(detail);
    } catch (error) {
      showFailure(this.problem, error as Error);
    }
  }

  private show(actor: Actor): void {
    const before = this.last;
    this.last = actor;
    for (const one of Object.values(this.parts)) {
      const shows = JSON.stringify(one.shows(actor));
      if (shows === one.drawn) continue;
      one.drawn = shows;
      morphInto(one.element, one.draw(actor));
    }
    morphInto(
      this.head,
      h(
        'span',
        {},
        stateMark(actor.state_now),
        ' ',
        h(
          'span',
          { class: 'quiet' },
          actor.started_us > 0 ? `for ${duration(Date.now() * 1000 - actor.started_us)}` : 'never started',
          actor.restart_count > 0 ? `, ${plural(actor.restart_count, 'restart', 'restarts')}` : '',
        ),
      ),
    );
    if (before?.state_now !== actor.state_now || this.buttons.childElementCount === 0) this.showButtons(actor);
  }

  private showButtons(actor: Actor): void {
    if (isOtherNode(actor.path)) return; // A whole node is acted on from its own console.
    const held = actor.state_now === 'suspended';
    replace(
      this.buttons,
      this.button('restart', 'Restart', false),
      held ? this.button('resume', 'Resume', false) : this.button('suspend', 'Suspend', false),
      this.button('kill', 'Kill', true),
    );
  }

  private button(action: string, name: string, danger: boolean): HTMLElement {
    const at = `/v1/actors/${segment(this.path)}`;
    const run = () =>
      confirmAndRun(this.app.api, {
        title: `${name} ${shortPath(this.path)}?`,
        button: name,
        danger,
        consequenceAt: `${at}/consequence?action=${action}`,
        run: () => this.app.api.post(`${at}/${action}`),
        done: `${name}: the node has agreed.`,
      });
    return h('button', { type: 'button', class: danger ? 'danger' : '', onclick: () => void run() }, `${name} …`);
  }
}

export const makeActorPage = (app: App, path: string): Page => new ActorPage(app, path);
