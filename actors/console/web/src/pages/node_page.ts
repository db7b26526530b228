// The machine under the node, and the configuration in force.
import type { App, Page } from '../app.ts';
import { bytes, count, duration, share } from '../core/format.ts';
import type { ConfigKey, Machine, NodeStatus } from '../core/types.ts';
import { confirmAndRun } from '../ui/dialog.ts';
import { h, replace, setText } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { facts, loading, meter, panel, showFailure, table, time } from '../ui/parts.ts';
import { LogPart } from './log_part.ts';

const measured = (value: number, text: string, label: string, alarmAt?: number) =>
  h('div', { class: 'measured' }, meter(value, label, alarmAt), h('span', {}, text));

function processor(m: Machine): Node {
  return facts([
    ['all cores', measured(m.cpu_share, `${share(m.cpu_share)} of ${m.cores}`, 'processor')],
    ['scheduler', measured(m.scheduler_share, share(m.scheduler_share), 'scheduler threads')],
    ['load', m.load.map((value) => value.toFixed(2)).join('  ')],
    ...(m.temperature_c === undefined ? [] : [['temperature', `${m.temperature_c.toFixed(1)} °C`] as const]),
    ...(m.throttled === undefined
      ? []
      : [
          [
            'throttled',
            m.throttled ? h('span', { class: 'alarm' }, 'yes: the machine is too hot or short of power') : 'no',
          ] as const,
        ]),
  ]);
}

function memory(m: Machine): Node {
  const ratio = m.bound_bytes > 0 ? m.resident_bytes / m.bound_bytes : 0;
  return h(
    'div',
    {},
    facts([['resident', measured(ratio, `${bytes(m.resident_bytes)} of ${bytes(m.bound_bytes)} allowed`, 'memory')]]),
    table(
      [
        { title: 'Bound', class: 'wide', cell: (b) => b.what },
        { title: 'At most', class: 'number', cell: (b) => bytes(b.bytes) },
      ],
      m.bounds,
      'No bounds were told.',
    ),
  );
}

function disk({ disk: d, open_files, open_files_max }: Machine): Node {
  return facts([
    ['folder', d.path],
    [
      'disk',
      measured(
        1 - d.free_bytes / Math.max(1, d.size_bytes),
        `${bytes(d.free_bytes)} free of ${bytes(d.size_bytes)}`,
        'disk',
      ),
    ],
    ['in use', `${bytes(d.used_bytes)}, of all programs`],
    [
      'open files',
      measured(open_files / Math.max(1, open_files_max), `${count(open_files)} of ${count(open_files_max)}`, 'open files'),
    ],
  ]);
}

/** Threads of one name are told as one: a pool's members have nothing of their own to tell. */
function threadGroups({ threads: all }: Machine): { name: string; count: number; cpu_share: number }[] {
  const groups = new Map<string, { name: string; count: number; cpu_share: number }>();
  for (const { name, cpu_share } of all) {
    const group = groups.get(name) ?? { name, count: 0, cpu_share: 0 };
    groups.set(name, { name, count: group.count + 1, cpu_share: group.cpu_share + cpu_share });
  }
  return [...groups.values()];
}

const threads = (m: Machine) =>
  table(
    [
      { title: 'Threads', class: 'wide', cell: (t) => (t.count > 1 ? `${t.name} (${count(t.count)})` : t.name) },
      {
        title: 'Share of a core',
        class: 'bar-cell',
        cell: (t) => measured(t.cpu_share / t.count, share(t.cpu_share), t.name),
      },
    ],
    threadGroups(m),
    'None were told.',
  );

const network = (m: Machine) =>
  table(
    [
      { title: 'Interface', class: 'wide', cell: (n) => n.name },
      { title: 'Received', class: 'number', cell: (n) => bytes(n.rx_bytes) },
      { title: 'Sent', class: 'number', cell: (n) => bytes(n.tx_bytes) },
    ],
    m.network,
    'None.',
  );

const aboutNode = (n: Partial<NodeStatus>) =>
  facts([
    ['name', n.name ?? ''],
    ['software', n.software ?? ''],
    ['version', n.version ?? ''],
    ['process', String(n.pid ?? '')],
    ['data folder', n.data_dir ?? ''],
    ['started', time(n.started_us ?? 0)],
    ['up for', duration(n.uptime_us ?? 0)],
    ['ledger height', n.ledger_height === undefined ? 'not known' : count(n.ledger_height)],
    ['new sessions', n.draining ? h('span', { class: 'alarm' }, 'refused: the node is draining') : 'accepted'],
  ]);

/** Sizes and times in the units in which they are written down. */
function shownValue(key: ConfigKey, value: string): string {
  if (key.secret) return '••••';
  if (value === '') return '–';
  const number = Number(value);
  if (key.unit === 'bytes' && Number.isFinite(number)) return bytes(number);
  if (key.unit === 'ms' && number >= 1000) return duration(number * 1000);
  if (key.unit === 's' && number > 0) return duration(number * 1e6);
  return value + (key.unit ? ` ${key.unit}` : '');
}

const configuration = (keys: ConfigKey[]) =>
  table(
    [
      { title: 'Key', cell: (k) => h('code', { title: k.what }, k.key) },
      { title: 'Value', class: 'wide', cell: (k) => h('code', {}, shownValue(k, k.value)) },
      { title: 'From', cell: (k) => h('span', { class: k.source === 'default' ? 'quiet' : 'set' }, k.source) },
      { title: 'Default', class: 'quiet', cell: (k) => shownValue(k, k.default) },
    ],
    keys,
    'No key matches.',
  );

class NodePage implements Page {
  readonly title = 'Node';
  readonly topics = ['node'];
  readonly element: HTMLElement;
  private readonly parts = {
    node: h('div', {}),
    cpu: h('div', {}),
    memory: h('div', {}),
    disk: h('div', {}),
    threads: h('div', {}),
    network: h('div', {}),
  };
  private readonly config = h('div', {}, loading());
  private readonly search = h('input', {
    type: 'search',
    placeholder: 'Filter keys',
    'aria-label': 'Filter keys',
    oninput: () => this.showConfig(),
  });
  private readonly changedOnly = h('input', { type: 'checkbox', onchange: () => this.showConfig() });
  private readonly drain = h(
    'button',
    { type: 'button', onclick: () => void this.act(this.app.node.draining ? 'accept' : 'drain') },
    'Drain …',
  );
  private readonly log: LogPart;
  private keys: ConfigKey[] = [];

  constructor(private readonly app: App) {
    this.log = new LogPart(app.api, 'path=');
    const p = this.parts;
    this.element = h(
      'div',
      { class: 'page' },
      h(
        'div',
        { class: 'heading' },
        h('h1', {}, 'Node'),
        h(
          'div',
          { class: 'buttons' },
          this.drain,
          h('button', { type: 'button', class: 'danger', onclick: () => void this.act('stop') }, 'Stop …'),
        ),
      ),
      h(
        'div',
        { class: 'columns' },
        panel('Node', p.node),
        panel('Processor', p.cpu),
        panel('Disk and files', p.disk),
        panel('Memory', p.memory),
        panel('Threads', p.threads),
        panel('Network', p.network),
      ),
      panel(
        'Configuration in force',
        this.config,
        h('span', { class: 'inline' }, h('label', {}, this.changedOnly, ' only what is set'), this.search),
      ),
      panel('Log level', this.logForm()),
      this.log.element,
    );
    void Promise.all([app.api.get<NodeStatus>('/v1/node'), app.api.get<Machine>('/v1/node/machine')]).then(
      ([node, machine]) => {
        Object.assign(app.node, node, machine);
        this.update();
      },
      (error: Error) => showFailure(p.node, error),
    );
    app.api.get<{ keys: ConfigKey[] }>('/v1/config').then(
      ({ keys }) => {
        this.keys = keys;
        this.showConfig();
      },
      (error: Error) => showFailure(this.config, error),
    );
  }

  update(): void {
    const { node } = this.app;
    setText(this.drain, node.draining ? 'Accept sessions again …' : 'Drain …');
    morphInto(this.parts.node, aboutNode(node));
    if (node.cores === undefined) return;
    const machine = node as Machine;
    morphInto(this.parts.cpu, processor(machine));
    morphInto(this.parts.memory, memory(machine));
    morphInto(this.parts.disk, disk(machine));
    morphInto(this.parts.threads, threads(machine));
    morphInto(this.parts.network, network(machine));
  }

  close(): void {
    this.log.close();
  }

  private showConfig(): void {
    const wanted = this.search.value.toLowerCase();
    replace(
      this.config,
      configuration(
        this.keys.filter(
          (key) =>
            `${key.key} ${key.what}`.toLowerCase().includes(wanted) &&
            (!this.changedOnly.checked || key.source !== 'default'),
        ),
      ),
    );
  }

  private logForm(): HTMLElement {
    const subsystem = h('input', { placeholder: 'all', 'aria-label': 'Part of the node', maxlength: 200 });
    const level = h(
      'select',
      { 'aria-label': 'Level' },
      ['trace', 'debug', 'info', 'warn', 'error', 'off'].map((name) =>
        h('option', { value: name, selected: name === 'info' }, name),
      ),
    );
    const set = () =>
      void confirmAndRun(this.app.api, {
        title: `Log ${subsystem.value || 'everything'} from ${level.value} on?`,
        button: 'Set',
        danger: false,
        consequenceAt: `/v1/node/consequence?action=log`,
        run: () => this.app.api.post('/v1/log', { subsystem: subsystem.value, level: level.value }),
        done: 'The level is set until the node ends.',
      });
    return h(
      'form',
      {
        class: 'inline',
        onsubmit: (event: Event) => {
          event.preventDefault();
          set();
        },
      },
      h('label', {}, 'Part ', subsystem),
      h('label', {}, 'from level ', level),
      h('button', {}, 'Set …'),
    );
  }

  private act(action: 'drain' | 'accept' | 'stop'): Promise<void> {
    const { api } = this.app;
    const wishes = {
      drain: {
        title: 'Drain this node?',
        button: 'Drain',
        danger: false,
        run: () => api.post('/v1/node/drain', { on: true }),
        done: 'No new session is started.',
      },
      accept: {
        title: 'Accept sessions again?',
        button: 'Accept',
        danger: false,
        run: () => api.post('/v1/node/drain', { on: false }),
        done: 'New sessions are accepted.',
      },
      stop: {
        title: 'Stop this node?',
        button: 'Stop',
        danger: true,
        run: () => api.post('/v1/node/stop'),
        done: 'The node is ending its sessions, then itself.',
      },
    };
    return confirmAndRun(api, { ...wishes[action], consequenceAt: `/v1/node/consequence?action=${action}` });
  }
}

export const makeNodePage = (app: App): Page => new NodePage(app);
