// The cluster: who is in it, who runs its roles, where the copies are; who comes in and who has to go.
import type { App, Page } from '../app.ts';
import { membersInWords, remaining, replicatedShare, roundTrip, stateInWords } from '../core/cluster.ts';
import { bytes, count, duration, exactMoment, moment } from '../core/format.ts';
import { addressOf } from '../core/route.ts';
import type { Cluster, ClusterAck, Invitation, Lease, Member, Replication } from '../core/types.ts';
import { segment } from '../net/api.ts';
import { confirmAndRun, tell } from '../ui/dialog.ts';
import { h, setText } from '../ui/dom.ts';
import { morphInto } from '../ui/morph.ts';
import { facts, hex, loading, meter, panel, showFailure, table, wholeHex } from '../ui/parts.ts';
import { notice } from '../ui/notice.ts';

const everyMs = 1_000;
const invitationBytesMax = 1024;
const nameBytesMax = 63;
const validities = [
  { seconds: 600, name: '10 minutes' },
  { seconds: 3600, name: 'one hour' },
  { seconds: 86_400, name: 'one day' },
  { seconds: 604_800, name: 'seven days' },
];

const since = (us: number) =>
  us > 0
    ? h('time', { datetime: exactMoment(us), title: exactMoment(us) }, duration(Date.now() * 1000 - us))
    : h('span', {}, '–');

const memberName = ({ name, id, state }: Member) =>
  state === 'self'
    ? h('b', { title: id }, name)
    : state === 'up'
      ? h('a', { href: addressOf('actor', `nodes/${name}`), title: id }, name)
      : h('span', { title: id }, name);

/** Buttons name their member; the page listens for them, since rows are changed in place. */
const removeButton = ({ id, name, state }: Member) =>
  h(
    'button',
    { type: 'button', class: 'danger', 'data-member': id, 'aria-label': state === 'self' ? 'Leave' : `Remove ${name}` },
    state === 'self' ? 'Leave …' : 'Remove …',
  );

const members = (all: Member[]) =>
  table(
    [
      { title: 'Node', cell: memberName },
      {
        title: 'State',
        class: 'state-column',
        cell: (m) => h('span', { class: `state ${m.state}` }, stateInWords(m.state)),
      },
      { title: 'For', class: 'number', cell: (m) => since(m.since_us) },
      { title: 'Round trip', class: 'number', cell: (m) => roundTrip(m) },
      { title: 'Software', cell: (m) => m.software || '–' },
      {
        title: 'Addresses',
        class: 'wide text',
        cell: (m) =>
          h(
            'span',
            { class: 'addresses' },
            m.addresses.map((address) => h('code', {}, address)),
          ),
      },
      { title: 'Id', cell: (m) => hex(m.id) },
      { title: '', class: 'act', cell: removeButton },
    ],
    all,
    'There are none.',
  );

const leases = (all: Lease[]) =>
  table(
    [
      { title: 'Role', cell: (l) => `${l.role} ${l.place}` },
      {
        title: 'Run by',
        class: 'grow',
        cell: (l) => (l.holder === '' ? h('span', { class: 'alarm' }, 'nobody') : l.holder_name || hex(l.holder)),
      },
      { title: 'Fence', class: 'number', cell: (l) => count(l.fence) },
      { title: 'Ends in', class: 'number', cell: (l) => remaining(l) },
    ],
    all,
    'No role is shared in this cluster.',
  );

const alarmIf = (value: number) => h('span', { class: value > 0 ? 'alarm' : '' }, count(value));

const replicationView = (r: Replication) =>
  facts([
    ['copies wished for', r.copies === 0 ? 'none (replication.copies)' : `${count(r.copies)}, beside this node's own`],
    ['recordings', count(r.session_count)],
    [
      'enough copies',
      h(
        'div',
        { class: 'measured' },
        meter(replicatedShare(r), 'chunks with enough copies', 2),
        h('span', {}, `${count(r.replicated_count)} of ${count(r.chunk_count)} chunks`),
      ),
    ],
    ['without a copy', alarmIf(r.copies === 0 ? 0 : r.without_copy_count)],
    ['on their way', count(r.in_flight)],
    ['last failure', r.last_failure || 'none'],
  ]);

const holders = (r: Replication) =>
  table(
    [
      { title: 'Node', class: 'grow', cell: (o) => o.name },
      { title: 'State', cell: (o) => h('span', { class: `state ${o.up ? 'up' : 'down'}` }, o.up ? 'up' : 'down') },
      { title: 'Chunks', class: 'number', cell: (o) => count(o.chunk_count) },
      { title: 'Size', class: 'number spare', cell: (o) => bytes(o.bytes) },
      { title: 'Proved', class: 'number', cell: (o) => count(o.challenges_ok) },
      { title: 'Failed', class: 'number', cell: (o) => alarmIf(o.challenges_failed) },
      { title: 'Late', class: 'number', cell: (o) => count(o.challenges_late) },
    ],
    r.holders,
    'Nobody yet.',
  );

const aboutCluster = (c: Cluster) =>
  facts([
    ['cluster', c.name],
    ['cluster id', wholeHex(c.cluster_id)],
    ['members', membersInWords(c.members)],
    ['list of members', `version ${count(c.list_version)}`],
  ]);

/** What was made for one other node. It is held by the dialog alone, and goes with it. */
function showInvitation({ invitation, address, expires_us, id }: Invitation): Promise<void> {
  const text = h('textarea', { readonly: true, rows: 5, 'aria-label': 'Invitation', spellcheck: 'false' }, invitation);
  const copy = async () => {
    text.select();
    await navigator.clipboard.writeText(invitation).then(
      () => notice('The invitation was copied.'),
      () => notice('The browser does not let the page copy: it is selected, copy it by hand.', 'bad'),
    );
  };
  return tell(
    'Invitation for one node',
    h(
      'div',
      { class: 'form' },
      h(
        'p',
        {},
        'On the node that shall join, give this text to ',
        h('code', {}, 'lucid cluster join'),
        ' or to its Cluster page.',
      ),
      text,
      facts([
        ['good until', moment(expires_us)],
        ['asks at', address],
        ['to take it back', `lucid cluster uninvite ${id}`],
      ]),
      h('p', { class: 'quiet' }, 'Whoever has it can join, once. It is shown now, kept nowhere, and cannot be shown again.'),
      h('button', { type: 'button', onclick: () => void copy() }, 'Copy'),
    ),
  );
}

class ClusterPage implements Page {
  readonly title = 'Cluster';
  readonly topics = ['node'];
  readonly element: HTMLElement;
  private readonly heading = h('h1', {}, 'Cluster');
  private readonly summary = h('div', { class: 'now quiet', role: 'status' });
  private readonly problem = h('div', { hidden: true });
  private readonly parts = {
    about: h('div', {}, loading()),
    members: h('div', {}, loading()),
    leases: h('div', {}, loading()),
    copies: h('div', {}, loading()),
    holders: h('div', {}),
  };
  private readonly newOnion = h(
    'button',
    { type: 'button', hidden: true, onclick: () => void this.rotate(true) },
    'New onion address …',
  );
  private readonly buttons = h(
    'div',
    { class: 'buttons', hidden: true },
    h('button', { type: 'button', class: 'primary', onclick: () => void this.invite() }, 'Invite a node …'),
    h('button', { type: 'button', onclick: () => void this.rotate(false) }, 'Rotate keys …'),
    this.newOnion,
  );
  private readonly inCluster: HTMLElement;
  private readonly alone: HTMLElement;
  private readonly needsMesh = h(
    'p',
    { class: 'failure', hidden: true },
    'This node listens to no other. Set ',
    h('code', {}, 'mesh.listen'),
    ' in its configuration, such as ',
    h('code', {}, '"0.0.0.0:7800"'),
    ', and start it again.',
  );
  private readonly timer = setInterval(() => void this.ask(), everyMs);
  private asking = false;
  private cluster: Cluster | undefined;

  constructor(private readonly app: App) {
    const p = this.parts;
    p.members.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('button[data-member]');
      const member = this.cluster?.members.find(({ id }) => id === button?.dataset['member']);
      if (member) void this.remove(member);
    });
    this.inCluster = h(
      'div',
      { class: 'body', hidden: true },
      panel('Nodes', p.members),
      h('div', { class: 'columns' }, panel('Who runs which role', p.leases), panel('The cluster', p.about)),
      h(
        'div',
        { class: 'columns' },
        panel("Copies of this node's recordings", p.copies),
        panel('Who holds them', p.holders, h('span', { class: 'quiet' }, 'challenges since this node started')),
      ),
    );
    this.alone = h(
      'div',
      { class: 'body', hidden: true },
      panel('This node stands alone', [
        h(
          'div',
          { class: 'form' },
          h('p', {}, 'Nodes of a cluster keep copies of each other’s recordings, share work, and show each other’s actors.'),
          this.needsMesh,
        ),
      ]),
      h('div', { class: 'columns' }, panel('Begin a cluster', this.beginForm()), panel('Join one', this.joinForm())),
    );
    this.element = h(
      'div',
      { class: 'page' },
      h('div', { class: 'heading' }, this.heading, this.summary, this.buttons),
      this.problem,
      this.inCluster,
      this.alone,
    );
    void this.ask();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** One at a time, and none while nobody looks. */
  private async ask(): Promise<void> {
    if (this.asking || document.hidden) return;
    this.asking = true;
    try {
      this.cluster = await this.app.api.get<Cluster>('/v1/cluster');
      this.show(this.cluster);
      this.problem.hidden = true;
      if (this.cluster.name !== '') await this.askForCopies();
    } catch (error) {
      showFailure(this.problem, error as Error);
      this.problem.hidden = false;
    } finally {
      this.asking = false;
    }
  }

  private async askForCopies(): Promise<void> {
    try {
      const told = await this.app.api.get<Replication>('/v1/replication');
      morphInto(this.parts.copies, replicationView(told));
      morphInto(this.parts.holders, holders(told));
    } catch (error) {
      showFailure(this.parts.copies, error as Error);
    }
  }

  private show(cluster: Cluster): void {
    const isAlone = cluster.name === '';
    this.inCluster.hidden = this.buttons.hidden = isAlone;
    this.alone.hidden = !isAlone;
    this.needsMesh.hidden = cluster.self !== '';
    setText(this.heading, isAlone ? 'Cluster' : `Cluster ${cluster.name}`);
    setText(this.summary, isAlone ? '' : membersInWords(cluster.members));
    if (isAlone) return;
    const self = cluster.members.find(({ state }) => state === 'self');
    this.newOnion.hidden = !self?.addresses.some((address) => address.startsWith('tor://'));
    morphInto(this.parts.members, members(cluster.members));
    morphInto(this.parts.leases, leases(cluster.leases));
    morphInto(this.parts.about, aboutCluster(cluster));
  }

  private beginForm(): HTMLElement {
    const name = h('input', {
      required: true,
      maxlength: nameBytesMax,
      pattern: '[a-z0-9]([a-z0-9\\-]*[a-z0-9])?',
      title: 'a-z, 0-9 and "-" between them',
      autocomplete: 'off',
    });
    return this.form(
      [h('label', {}, h('span', {}, 'Name of the cluster'), name), h('button', { class: 'primary' }, 'Begin …')],
      () =>
        this.change('init', {
          title: `Begin the cluster ${name.value}?`,
          button: 'Begin',
          danger: false,
          run: () => this.app.api.post<ClusterAck>('/v1/cluster/init', { name: name.value }),
        }),
    );
  }

  private joinForm(): HTMLElement {
    const text = h('textarea', {
      required: true,
      rows: 3,
      maxlength: invitationBytesMax,
      placeholder: 'lucid-join:…',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    return this.form(
      [
        h('label', {}, h('span', {}, 'Invitation that a member made'), text),
        h('button', { class: 'primary' }, 'Join …'),
        h('p', { class: 'quiet' }, 'Over Tor this takes up to two minutes.'),
      ],
      async () => {
        const invitation = text.value.trim();
        await this.change('join', {
          title: 'Join this cluster?',
          button: 'Join',
          danger: false,
          run: async () => {
            const done = await this.app.api.post<ClusterAck>('/v1/cluster/join', { invitation });
            text.value = ''; // It was good once.
            return done;
          },
        });
      },
    );
  }

  private form(children: Node[], submit: () => Promise<void>): HTMLElement {
    const onsubmit = (event: Event) => {
      event.preventDefault();
      void submit();
    };
    return h('form', { class: 'form', onsubmit }, children);
  }

  private async invite(): Promise<void> {
    const validity = h(
      'select',
      {},
      validities.map(({ seconds, name }) => h('option', { value: seconds, selected: seconds === 3600 }, name)),
    );
    let made: Invitation | undefined;
    await confirmAndRun(
      this.app.api,
      {
        title: 'Invite a node?',
        button: 'Invite',
        danger: false,
        consequenceAt: '/v1/cluster/consequence?action=invite',
        run: async () => {
          const valid_seconds = Number(validity.value);
          made = await this.app.api.post<Invitation>('/v1/cluster/invitations', { valid_seconds });
        },
        done: 'An invitation was made.',
      },
      h('div', { class: 'form' }, h('label', {}, h('span', {}, 'Good for'), validity)),
    );
    if (made) await showInvitation(made);
  }

  private remove({ id, name, state }: Member): Promise<void> {
    const leaves = state === 'self';
    return this.change('remove', {
      title: leaves ? 'Leave the cluster?' : `Remove ${name} from the cluster?`,
      button: leaves ? 'Leave' : 'Remove',
      danger: true,
      run: () => this.app.api.remove<ClusterAck>(`/v1/cluster/members/${segment(id)}`),
    });
  }

  private rotate(onion: boolean): Promise<void> {
    return this.change(onion ? 'rotate-onion' : 'rotate', {
      title: onion ? 'New transport key and new onion address?' : 'New transport key?',
      button: 'Rotate',
      danger: onion,
      run: () => this.app.api.post<ClusterAck>('/v1/keys/rotate', { onion }),
    });
  }

  /** Asks first, does it, and shows what the node says and how things are then. */
  private async change(
    action: string,
    wish: { title: string; button: string; danger: boolean; run(): Promise<ClusterAck> },
  ): Promise<void> {
    await confirmAndRun(this.app.api, {
      ...wish,
      consequenceAt: `/v1/cluster/consequence?action=${action}`,
      done: `${wish.button}: the node has agreed.`,
    });
    await this.ask();
  }
}

export const makeClusterPage = (app: App): Page => new ClusterPage(app);
