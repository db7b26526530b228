// A node that is none: speaks docs/api/console.openapi.yaml with moving data, for work on the pages without Lucid itself.
//
// Usage: node tests/console/mock_server.mjs [--port N] [--actors N] [--alone] [--pages FOLDER] [--proof FILE --chunks FOLDER]
// It is in a cluster of three, or alone. The last two show a recording that Lucid made: what `lucid prove` wrote, and the
// session's folder in the store.
// Prints the login link, then the ids of its sessions; ends with a signal. Its faults: every sixth second an actor fails and
// begins anew, one session is stalled at its store, one actor is suspended, a chunk can be damaged on its way.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { operationOf, requestDefects } from './contract.mjs';
import { load, webFolder } from './packages.mjs';
import { canonical, makePlayable } from './recording_maker.mjs';

const { WebSocketServer } = (await load('ws')).default;
const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8083' },
    actors: { type: 'string', default: '0' },
    alone: { type: 'boolean', default: false },
    proof: { type: 'string' },
    chunks: { type: 'string' },
    pages: { type: 'string', default: process.env.LUCID_PAGES ?? join(webFolder, 'dist') },
  },
});

const vectors = new URL('../vectors/format_v1/', import.meta.url);
const vector = (name) => readFileSync(new URL(name, vectors));
const now_us = () => Date.now() * 1000;
const second = 1_000_000;

/** A sequence that is the same in every run. */
function sequence(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}
const random = sequence(7);
const hexOf = (text) => createHash('sha256').update(text).digest('hex');
const started_us = now_us() - 3 * 3600 * second;

// --- actors ------------------------------------------------------------------------------------------------------------

const types = {
  store: ['store_chunk_request', 'session_query', 'chunk_list_query'],
  journal: ['journal_append', 'journal_drop', 'sync_tick'],
  capture: ['fragment', 'acknowledgement', 'worker_report'],
  chunk: ['fragment', 'chunk_stored', 'journal_synced'],
  seal: ['seal_request', 'pool_answer'],
};

function makeActor(path, parent, position, more = {}) {
  const kind = path.split('/').at(-1);
  const supervisor = more.supervisor ?? false;
  const names = types[kind] ?? ['query', 'tick'];
  return {
    path,
    parent,
    position,
    kind,
    supervisor,
    ...(supervisor
      ? {
          strategy: more.strategy ?? 'one_for_one',
          dynamic: path === 'sessions',
          restarts_max: 3,
          period_ms: 60_000,
          child_count: 3,
        }
      : {}),
    restart_kind: 'permanent',
    significant: false,
    shutdown_timeout_ms: supervisor ? 30_000 : 5_000,
    state_now: 'running',
    incarnation: 1,
    present: true,
    answered: true,
    started_us,
    mailbox_length: 0,
    handled_count: Math.floor(random() * 1e5),
    rate: 0,
    busy_share: 0,
    running_ns: 0,
    restart_count: 0,
    dead_letter_count: 0,
    handler_ns: { p50: 8_000 + Math.floor(random() * 9e4), p90: 2e5, p99: 4e5 + Math.floor(random() * 8e6), max: 2e7 },
    handler_by_type: supervisor
      ? []
      : names.map((type, i) => ({
          type,
          count: Math.floor(1e5 / (i + 1)),
          p50_ns: 9_000 * (i + 1),
          p99_ns: 480_000 * (i + 1),
          max_ns: 12_000_000,
        })),
    senders:
      parent === ''
        ? []
        : [
            { path: 'control', count: 410 },
            { path: parent, count: 37 },
          ],
    handled: Object.fromEntries(names.map((name, i) => [name, 1000 * (i + 1)])),
    state: supervisor
      ? { children: String(more.children ?? 3) }
      : { queue: '0', 'oldest wait': '3 ms', folder: '/var/lib/lucid' },
    restarts: [],
    busyBase: random() * 0.35,
    rateBase: random() * 300,
  };
}

const sessionIds = ['clock tower', 'accounting desktop', 'build server'].map(hexOf);
const actors = new Map();
const add = (path, parent, position, more) => actors.set(path, makeActor(path, parent, position, more));
add('root', '', 0, { supervisor: true });
add('storage', 'root', 0, { supervisor: true, strategy: 'rest_for_one' });
['store', 'ledger', 'anchor'].forEach((name, i) => add(`storage/${name}`, 'storage', i));
add('sessions', 'root', 1, { supervisor: true });
for (const [i, id] of sessionIds.entries()) {
  add(`sessions/${id}`, 'sessions', i, { supervisor: true, strategy: 'rest_for_one' });
  ['journal', 'capture', 'chunk', 'seal', 'manifest', 'session'].forEach((name, at) =>
    add(`sessions/${id}/${name}`, `sessions/${id}`, at),
  );
}
const others = options.alone ? [] : ['attic', 'cellar'];
for (const name of others) {
  const at = `nodes/${name}`;
  add(at, 'root', 0, { supervisor: true });
  for (const [part, parts] of [
    ['storage', ['store', 'ledger']],
    ['copies', ['replicas', 'replication']],
    ['mesh', ['links', 'gateway', 'blobs']],
  ]) {
    add(`${at}/${part}`, at, 0, { supervisor: true });
    parts.forEach((one, i) => add(`${at}/${part}/${one}`, `${at}/${part}`, i));
  }
}
['recorder', 'control', 'console'].forEach((name, i) => add(name, 'root', 2 + i));
for (let i = 0; actors.size < Number(options.actors); ++i) {
  const group = `extra/${String(Math.floor(i / 50)).padStart(3, '0')}`;
  if (!actors.has('extra')) add('extra', 'root', 9, { supervisor: true });
  if (!actors.has(group)) add(group, 'extra', i, { supervisor: true });
  add(`${group}/worker-${i}`, group, i);
}
actors.get('sessions').dead_letter_count = 2;
actors.get(`sessions/${sessionIds[1]}/chunk`).mailbox_length = 240;
actors.get(`sessions/${sessionIds[2]}/manifest`).state_now = 'suspended';

const capsules = [];
function endActor(path, reason) {
  const actor = actors.get(path);
  actor.restarts = [...actor.restarts, { at_us: now_us(), incarnation: actor.incarnation, reason }].slice(-16);
  actor.incarnation += 1;
  actor.restart_count += 1;
  actor.started_us = now_us();
  actor.state_now = 'waiting';
  const message = (i) => ({
    at_us: now_us() - (20 - i) * 40_000,
    type: actor.handler_by_type[i % Math.max(1, actor.handler_by_type.length)]?.type ?? 'tick',
    size_bytes: 48 + 97 * i,
    sender: i % 5 ? 'control' : '',
    fields: i > 12 ? `sequence: ${9000 + i}, payload: ${97 * i} bytes` : '',
  });
  capsules.unshift({
    id: hexOf(`${path} ${actor.incarnation}`).slice(0, 32),
    path,
    incarnation: actor.incarnation - 1,
    at_us: now_us(),
    reason,
    messages: Array.from({ length: 16 }, (_, i) => message(i)),
    failing: true,
    state: Object.entries(actor.state).map(([key, value]) => ({ key, value })),
    restart_count: actor.restart_count,
    spec: {
      id: actor.kind,
      restart: 'permanent',
      significant: false,
      shutdown_timeout_ms: 5000,
      restarts_max: 3,
      period_ms: 60000,
    },
  });
  capsules.length = Math.min(capsules.length, 50);
}

let seconds = 0;
function moveActors() {
  ++seconds;
  for (const actor of actors.values()) {
    if (actor.state_now === 'waiting') actor.state_now = 'running';
    if (actor.supervisor || actor.state_now === 'suspended') continue;
    actor.rate = Math.max(0, actor.rateBase * (0.7 + 0.6 * random()));
    actor.busy_share = Math.min(1, actor.busyBase * (0.7 + 0.6 * random()));
    actor.mailbox_length =
      actor.mailbox_length > 100 ? 200 + Math.floor(random() * 80) : Math.floor(random() * random() * 9);
    actor.handled_count += Math.round(actor.rate);
    for (const type of actor.handler_by_type) type.count += Math.floor(actor.rate / 3);
    actor.state = { ...actor.state, queue: String(actor.mailbox_length) };
  }
  if (seconds % 6 === 3)
    endActor(
      `sessions/${sessionIds[0]}/${['seal', 'chunk', 'capture'][Math.floor(seconds / 6) % 3]}`,
      'the work pool refused: out of memory (resource exhausted)',
    );
}

const told = ({ busyBase: _b, rateBase: _r, ...actor }) => actor;

// --- sessions ----------------------------------------------------------------------------------------------------------

const alicePublic = Buffer.from(JSON.parse(vector('alice.key')).box_public, 'hex');
const playable = makePlayable(40, alicePublic);
const strangers = makePlayable(4, randomBytes(32), 'Visitors', 0x80);
const proof = JSON.parse(vector('proof.json'));
const example = {
  id: proof.manifest.session,
  manifest: canonical(proof.manifest),
  signature: proof.signature,
  tracks: proof.manifest.tracks,
  files: new Map([
    ['video/0', vector('video0.chunk')],
    ['events/0', vector('events0.chunk')],
  ]),
};

const sessions = new Map();
function addSession(id, title, state, more = {}) {
  const age = more.age ?? 3600;
  sessions.set(id, {
    id,
    state,
    title,
    owner: 'alice',
    source: 'rdp://desk-7.example',
    created_us: now_us() - age * second,
    started_us: now_us() - (age - 1) * second,
    ended_us: state === 'recording' ? 0 : now_us() - (age - 600) * second,
    frame_count: 18_000,
    fragment_count: 1_800,
    gap_count: 0,
    captured_bytes: 412e6,
    stored_bytes: 318e6,
    chunk_count: 40,
    block_height: state === 'completed' ? 12 : 0,
    block_producer: '',
    reason: state === 'recording' ? '' : 'end of source',
    interrupted: state === 'interrupted',
    ...more.members,
  });
}
addSession(sessionIds[0], 'Clock tower', 'recording', { age: 1260 });
addSession(sessionIds[1], 'Accounting desktop', 'recording', { age: 4521, members: { gap_count: 3 } });
addSession(sessionIds[2], 'Build server, nightly', 'sealing', { age: 9000, members: { ended_us: 0 } });
if (playable)
  addSession(playable.id, 'Test picture', 'completed', {
    age: 20_000,
    members: {
      chunk_count: 6,
      started_us: 1_763_720_000_000_000,
      ended_us: 1_763_720_040_000_000,
      source: 'generator:clock',
    },
  });
if (strangers) addSession(strangers.id, 'Visitors', 'completed', { age: 25_000, members: { owner: 'bob', chunk_count: 2 } });
addSession(example.id, 'Example – "quoted"', 'completed', {
  age: 30_000,
  members: {
    chunk_count: 2,
    source: 'generator:clock',
    started_us: proof.manifest.started_us,
    ended_us: proof.manifest.ended_us,
  },
});
addSession(hexOf('failed'), 'Front desk', 'failed', {
  age: 50_000,
  members: { reason: 'the server refused the login: the password has expired' },
});
addSession(hexOf('interrupted'), 'Night shift', 'interrupted', {
  age: 70_000,
  members: { reason: 'the node was gone', block_height: 7, block_producer: hexOf('sign attic') }, // In the chain of attic.
});
for (let i = 0; i < 24; ++i) addSession(hexOf(`old ${i}`), `Shift ${24 - i}`, 'completed', { age: 86_400 + i * 7200 });

/** A recording as a node keeps it. */
function readStored(proofFile, folder) {
  const { manifest, signature } = JSON.parse(readFileSync(proofFile, 'utf8'));
  const fileOf = (track, index) => readFileSync(join(folder, `${track}-${String(index).padStart(6, '0')}.chunk`));
  const files = manifest.tracks.flatMap(({ track, chunks }) =>
    chunks.map(({ index }) => [`${track}/${index}`, fileOf(track, index)]),
  );
  const { session: id, tracks, started_us: began, ended_us: ended } = manifest;
  addSession(id, manifest.title, 'completed', { members: { started_us: began, ended_us: ended, source: manifest.source } });
  return { id, manifest: canonical(manifest), signature, tracks, files: new Map(files) };
}
const stored = options.proof && readStored(options.proof, options.chunks);

const recordings = new Map([example, playable, strangers, stored].filter(Boolean).map((recording) => [recording.id, recording]));
/** The video chunk that is damaged on its way to the page; -1 for none. */
let damageVideoChunk = -1;

function moveSessions() {
  for (const id of sessionIds.slice(0, 2)) {
    const session = sessions.get(id);
    const stalled = id === sessionIds[1];
    session.frame_count += stalled ? 0 : 10;
    session.fragment_count += stalled ? 0 : 1;
    session.captured_bytes += stalled ? 0 : 280_000;
    session.stored_bytes += stalled ? 0 : 210_000;
    if (seconds % 10 === 0 && !stalled) session.chunk_count += 1;
  }
}

function flowOf(id) {
  const stalled = id === sessionIds[1];
  const MiB = 1 << 20;
  const stage = (role, rate, queued, credit, most, waits_for) => ({
    path: role === 'store' ? 'storage/store' : `sessions/${id}/${role}`,
    role,
    rate_bytes_s: stalled ? 0 : rate * (0.9 + 0.2 * random()),
    queued_bytes: Math.round(queued * MiB),
    credit_bytes: Math.round(credit * MiB),
    credit_max_bytes: most * MiB,
    ...(waits_for && stalled ? { waits_for } : {}),
  });
  return {
    stages: stalled
      ? [
          stage('worker', 0, 6, 0, 16, 'capture'),
          stage('capture', 0, 16, 0, 16, 'chunk'),
          stage('journal', 0, 0, 4, 4),
          stage('chunk', 0, 20, 0, 20, 'seal'),
          stage('seal', 0, 20, 0, 20, 'storage/store'),
          stage('store', 0, 31, 8, 32),
        ]
      : [
          stage('worker', 290e3, 0.1, 15, 16),
          stage('capture', 288e3, 0.4, 15, 16),
          stage('journal', 288e3, 0.3, 3.7, 4),
          stage('chunk', 285e3, 6.2, 14, 20),
          stage('seal', 220e3, 0, 20, 20),
          stage('store', 212e3, 0, 32, 32),
        ],
  };
}

function chunksOf(id) {
  const recording = recordings.get(id);
  if (recording) return recording.tracks.flatMap(({ track, chunks }) => chunks.map((chunk) => ({ track, ...chunk })));
  const session = sessions.get(id);
  return Array.from({ length: session.chunk_count }, (_, i) => ({
    track: 'video',
    index: i,
    start_us: session.started_us + i * 30 * second,
    end_us: session.started_us + (i + 1) * 30 * second,
    first_sequence: 60 * i + 1,
    last_sequence: 60 * i + 60,
    frame_count: 300,
    plain_size_bytes: 10_485_760 - i * 331,
    sealed_size_bytes: 8_020_301 - i * 97,
    content: hexOf(`content ${i}`),
    root: hexOf(`root ${i}`),
  }));
}

function verify(id) {
  const broken = id === hexOf('interrupted');
  return {
    verdict: broken ? 'NOT INTACT: 2 findings.' : 'INTACT: every byte is what was sealed, signed and anchored.',
    checks: [
      { name: 'manifest', verdict: 'ok', found: 'hash and signature of the recorder' },
      { name: 'anchor', verdict: 'ok', found: 'block 12 of 2026-11-21, 34 blocks on top' },
      {
        name: 'chunks',
        verdict: broken ? 'FAIL' : 'ok',
        found: '40 chunks (38 video, 2 events), 19,532 blocks, 318 MiB re-hashed',
      },
      { name: 'content', verdict: '-', found: 'not looked into: no key was given, none is needed for the rest' },
    ],
    damage: broken
      ? [
          { chunk: 7, track: 'video', block: 12, offset: 196_608 },
          { chunk: 7, track: 'video', block: 13, offset: 212_992 },
        ]
      : [],
  };
}

// --- the rest ----------------------------------------------------------------------------------------------------------

const node = {
  name: 'desk-recorder',
  software: 'lucid 0.1.0',
  version: '0.1.0',
  data_dir: '/var/lib/lucid',
  pid: 4711,
  started_us,
  uptime_us: 0,
  ledger_height: 46,
  draining: false,
};
const machine = {
  cpu_share: 0.18,
  cores: 4,
  load: [0.62, 0.7, 0.55],
  resident_bytes: 182e6,
  bound_bytes: 512e6,
  bounds: [
    { what: 'credit of capture, 2 sessions', bytes: 33_554_432 },
    { what: 'open chunks, 2 tracks, 2 sessions', bytes: 67_108_864 },
    { what: 'chunks being sealed', bytes: 134_217_728 },
    { what: 'page cache of the store', bytes: 4_194_304 },
  ],
  threads: ['caf.worker 0', 'caf.worker 1', 'work pool 0', 'work pool 1', 'store', 'journal', 'http'].map((name) => ({
    name,
    cpu_share: 0.1,
  })),
  scheduler_share: 0.11,
  disk: { path: '/var/lib/lucid', free_bytes: 61e9, size_bytes: 118e9, used_bytes: 34e9 },
  temperature_c: 58.3,
  throttled: false,
  open_files: 84,
  open_files_max: 1024,
  network: [
    { name: 'eth0', rx_bytes: 91e9, tx_bytes: 3e9 },
    { name: 'lo', rx_bytes: 2e9, tx_bytes: 2e9 },
  ],
};
function moveNode() {
  node.uptime_us = now_us() - started_us;
  machine.cpu_share = 0.12 + 0.12 * random();
  machine.scheduler_share = 0.08 + 0.08 * random();
  machine.resident_bytes = 180e6 + Math.floor(random() * 8e6);
  machine.threads = machine.threads.map((thread) => ({ ...thread, cpu_share: random() * 0.4 }));
}

const config = [
  ['node.name', 'desk-recorder', 'lucid', '', 'file', 'Name of this node in logs and listings.'],
  [
    'node.data_dir',
    '/var/lib/lucid',
    '~/.local/share/lucid',
    '',
    'environment',
    'Folder of the store, the journals and the keys.',
  ],
  ['node.scheduler_threads', '0', '0', '', 'default', 'Threads that run actors; 0 is one a core.'],
  ['journal.sync_interval', '1000', '1000', 'ms', 'default', 'Longest time before captured video is on disk.'],
  ['session.count_max', '4', '4', '', 'default', 'Sessions that record at one time.'],
  ['keys.passphrase', '', '', '', 'environment', "Passphrase of the node's key.", true],
  ['log.level', 'debug', 'info', '', 'flag', 'Least level that is written.'],
  ['console.port', '8083', '8083', '', 'default', 'Port of the console on the loopback interface.'],
].map(([key, value, default_, unit, source, what, secret = false]) => ({
  key,
  value,
  default: default_,
  unit,
  source,
  secret,
  what,
}));

const block = (height) => ({
  height,
  hash: hexOf(`block ${height}`),
  previous: hexOf(`block ${height - 1}`),
  slot: 760_000 + height,
  time_us: started_us + height * 120 * second,
  entry_count: 1 + (height % 3),
  entries_root: hexOf(`entries ${height}`),
  producer: proof.manifest.recorder,
  signature: hexOf(`a${height}`) + hexOf(`b${height}`),
});
const entriesOf = (height) =>
  Array.from({ length: 1 + (height % 3) }, (_, i) => ({
    session: height === 12 && i === 0 ? example.id : hexOf(`entry ${height} ${i}`),
    manifest: hexOf(`manifest ${height} ${i}`),
    root: hexOf(`root ${height} ${i}`),
    sealed_us: block(height).time_us - second,
  }));

const letters = {
  dead_letters: [
    { path: `sessions/${sessionIds[0]}/seal`, count: 12 },
    { path: 'storage/anchor', count: 3 },
  ],
  refusals: [
    {
      at_us: started_us + 40 * second,
      kind: 'http',
      source: '127.0.0.1',
      what: 'Host must be 127.0.0.1:8083 or localhost:8083',
      count: 4,
    },
    {
      at_us: started_us + 90 * second,
      kind: 'control',
      source: 'uid 1000',
      what: 'a session id has 64 hexadecimal digits',
      count: 1,
    },
  ],
};
// --- the cluster -------------------------------------------------------------------------------------------------------

const onion = 'lucidexampleaddressofonionservicesthatdoesnotexistanywh2';
function makeMember(name, state, addresses, round_trip_us, age) {
  return {
    id: hexOf(`node ${name}`),
    name,
    sign_key: hexOf(`sign ${name}`),
    box_key: hexOf(`box ${name}`),
    addresses,
    state,
    since_us: now_us() - age * second,
    round_trip_us,
    software: state === 'down' ? '' : 'lucid 0.1.0',
  };
}
const selfMember = makeMember('desk-recorder', 'self', ['tcp://10.0.0.7:7800'], 0, 3 * 3600);
const cluster = { name: '', cluster_id: '', list_version: 0, self: selfMember.id, members: [], leases: [] };
const replication = {
  copies: 2,
  session_count: 31,
  chunk_count: 1240,
  replicated_count: 1197,
  without_copy_count: 3,
  in_flight: 4,
  last_failure: 'cellar: no answer within 30 s',
  holders: [],
};
function beginCluster(name, members) {
  const idOf = (of) => members.find((one) => one.name === of)?.id ?? '';
  const lease = (role, place, holder, fence) => ({
    role,
    place,
    holder: idOf(holder),
    holder_name: holder,
    fence,
    remaining_ms: holder ? 4200 : 0,
  });
  Object.assign(cluster, { name, cluster_id: hexOf(`cluster ${name}`), list_version: members.length, members });
  if (members.length < 3) return;
  cluster.leases = [lease('anchor', 0, 'desk-recorder', 12), lease('seal', 0, 'attic', 41), lease('seal', 1, '', 7)];
  replication.holders = others.map((node, i) => ({
    node: idOf(node),
    name: node,
    up: true,
    chunk_count: 1236 - 38 * i,
    bytes: 9.4e9 - i * 3e8,
    challenges_ok: 8211 - 900 * i,
    challenges_failed: i,
    challenges_late: 3 * i,
  }));
}
if (!options.alone)
  beginCluster('field', [
    makeMember('attic', 'up', ['tcp://10.0.0.8:7800'], 840, 9000),
    makeMember('cellar', 'up', [`tor://${onion}.onion:7800`], 612_000, 200),
    selfMember,
  ]);

let invitations = [];
const memberOf = (who) => cluster.members.find(({ name, id }) => name === who || id === who);
function setMember(member, state) {
  Object.assign(member, { state, since_us: now_us() });
  for (const holder of replication.holders) if (holder.node === member.id) holder.up = state === 'up';
  for (const lease of cluster.leases)
    if (lease.holder === member.id) Object.assign(lease, { holder: '', holder_name: '', remaining_ms: 0 });
  if (state !== 'up')
    for (const path of [...actors.keys()]) if (`${path}/`.startsWith(`nodes/${member.name}/`)) actors.delete(path);
}
function moveCluster() {
  for (const member of cluster.members)
    if (member.state === 'up') member.round_trip_us = Math.round(member.round_trip_us * (0.98 + 0.04 * random()));
  for (const lease of cluster.leases) if (lease.holder) lease.remaining_ms = 3000 + Math.floor(random() * 2000);
  for (const holder of replication.holders) if (holder.up) holder.challenges_ok += 1;
}

const audit = [];
function write(action, target, consequence, outcome = 'done') {
  const number = audit.length + 1;
  audit.push({
    number,
    at_us: now_us(),
    operator: 'operator',
    action,
    target,
    consequence,
    outcome,
    previous: audit.at(-1)?.hash ?? '0'.repeat(64),
    hash: hexOf(`audit ${number}`),
    signature: hexOf('s').repeat(2),
  });
}
write('log in', 'console', 'a browser was signed in');
write('restart', 'storage/anchor', 'restarts 0 children');
write('stop', hexOf('old 3'), 'ends the recording in order', 'refused: wrong_state');

const log = (path) =>
  [
    'the journal was synced: 3.9 MiB in 21 ms',
    'chunk 38 of video was cut at 10.0 MiB',
    'chunk 38 of video is stored',
    'waits for room: 20.0 MiB are on their way',
    'the work pool refused: out of memory',
  ].map((text, i) => ({
    at_us: now_us() - (50 - i) * 300_000,
    level: ['debug', 'info', 'info', 'warn', 'error'][i],
    path: path || 'storage/store',
    text,
  }));

function consequence(action, path) {
  const children = [...actors.values()].filter(({ parent }) => parent === path).length;
  const after = children > 0 ? ` and its ${children} children` : '';
  return {
    children,
    text: {
      restart: `${path}${after} end in order and begin anew; messages in the mailbox are lost.`,
      kill: `${path}${after} end at once, as in a crash. Its supervisor starts it again; a crash capsule is kept.`,
      suspend: `${path} handles no message until it is resumed; its mailbox grows, and whoever needs its answers waits.`,
      resume: `${path} goes on where it stood.`,
      stop: 'It ends in order: what was captured is sealed, signed and anchored.',
      extend: 'Its latest end is moved by as much.',
      remove: 'Its chunks, manifest and rows are removed for good; its entry in the ledger stays.',
      drain: '2 sessions go on to their end; no new one is started until this is taken back.',
      accept: 'New sessions are accepted again.',
      log: 'The level holds until the node ends.',
      ...(path === 'cluster'
        ? {
            init: 'begins a cluster of which this node is the first member',
            invite: 'one node may join with this invitation, once',
            uninvite: 'whoever has it is let in no more; who has joined with it stays',
            join: 'its members can look at this node and share its work',
            remove: 'cut off from all members at once; to come back it has to be invited anew',
            rotate: "links are made anew with a new transport key; the node's identity stays",
            'rotate-onion':
              "links are made anew with a new transport key and a new onion address; the node's identity stays",
          }
        : {}),
    }[action],
  };
}

// --- HTTP --------------------------------------------------------------------------------------------------------------

const cookie = randomBytes(32).toString('hex');
const csrf = randomBytes(32).toString('hex');
const token = hexOf('mock login');
const media = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// What the real server must send too: actors/console/web/README.md.
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
  "worker-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

class Refused extends Error {
  constructor(status, code, what) {
    super(what);
    Object.assign(this, { status, code });
  }
}
const notFound = (what) => new Refused(404, 'not_found', what);

const routes = [
  ['GET', /^\/v1\/me$/, () => ({ csrf, idle_s: 1800, role: 'operator' })],
  ['POST', /^\/v1\/logout$/, () => ({})],
  ['GET', /^\/v1\/node$/, () => node],
  ['GET', /^\/v1\/node\/machine$/, () => machine],
  ['GET', /^\/v1\/config$/, () => ({ keys: config })],
  ['GET', /^\/v1\/node\/consequence$/, ({ query }) => consequence(query.get('action'), 'root')],
  [
    'POST',
    /^\/v1\/node\/drain$/,
    ({ body }) => {
      node.draining = body.on;
      write('drain', 'node', String(body.on));
      return { on: body.on };
    },
  ],
  [
    'POST',
    /^\/v1\/node\/stop$/,
    () => {
      write('stop', 'node', 'ends');
      return { stopping: true };
    },
  ],
  [
    'POST',
    /^\/v1\/log$/,
    ({ body }) => {
      write('log', body.subsystem || 'all', body.level);
      return body;
    },
  ],
  [
    'GET',
    /^\/v1\/log$/,
    ({ query }) => ({
      lines: log(query.get('path')).filter(
        ({ level }) =>
          ['trace', 'debug', 'info', 'warn', 'error'].indexOf(level) >=
          ['trace', 'debug', 'info', 'warn', 'error'].indexOf(query.get('level')),
      ),
    }),
  ],
  ['GET', /^\/v1\/actors$/, () => ({ seq: 0, actors: [...actors.values()].map(told) })],
  [
    'GET',
    /^\/v1\/actors\/([^/]+)$/,
    ({ match }) => {
      const actor = actors.get(match[1]);
      if (!actor) throw notFound(`there is no actor ${match[1]}`);
      const walk = (base, scale) =>
        Array.from({ length: 120 }, (_, i) => Math.max(0, base * (1 + scale * Math.sin(i / 7) + 0.3 * (random() - 0.5))));
      return {
        ...told(actor),
        history: {
          interval_s: 1,
          mailbox: walk(actor.mailbox_length + 2, 0.6).map(Math.round),
          rate: walk(actor.rateBase, 0.3),
          busy: walk(actor.busyBase, 0.3).map((v) => Math.min(1, v)),
        },
        capsules: capsules.filter(({ path }) => path === actor.path).map(({ id }) => id),
      };
    },
  ],
  ['GET', /^\/v1\/actors\/([^/]+)\/consequence$/, ({ match, query }) => consequence(query.get('action'), match[1])],
  [
    'POST',
    /^\/v1\/actors\/([^/]+)\/(restart|kill|suspend|resume)$/,
    ({ match: [, path, action] }) => {
      const actor = actors.get(path);
      if (!actor) throw notFound(`there is no actor ${path}`);
      if (action === 'suspend') actor.state_now = 'suspended';
      else if (action === 'resume') actor.state_now = 'running';
      else endActor(path, action === 'kill' ? 'killed by an operator' : 'restarted by an operator');
      const { text } = consequence(action, path);
      write(action, path, text);
      return { path, consequence: text };
    },
  ],
  [
    'GET',
    /^\/v1\/capsules$/,
    () => ({
      capsules: capsules.map(({ id, path, incarnation, at_us, reason }) => ({ id, path, incarnation, at_us, reason })),
    }),
  ],
  [
    'GET',
    /^\/v1\/capsules\/([^/]+)$/,
    ({ match }) =>
      capsules.find(({ id }) => id === match[1]) ??
      (() => {
        throw notFound('there is no such capsule');
      })(),
  ],
  [
    'GET',
    /^\/v1\/sessions$/,
    ({ query }) => ({
      sessions: [...sessions.values()]
        .sort((a, b) => b.created_us - a.created_us)
        .slice(Number(query.get('offset') ?? 0), Number(query.get('offset') ?? 0) + Number(query.get('count') ?? 1000)),
    }),
  ],
  [
    'POST',
    /^\/v1\/sessions$/,
    ({ body }) => {
      const id = hexOf(`new ${now_us()}`);
      addSession(id, body.title ?? '', 'recording', {
        age: 1,
        members: { chunk_count: 0, frame_count: 0, captured_bytes: 0, stored_bytes: 0, source: body.source },
      });
      return sessions.get(id);
    },
  ],
  ['GET', /^\/v1\/sessions\/([0-9a-f]{64})$/, ({ session }) => session],
  [
    'DELETE',
    /^\/v1\/sessions\/([0-9a-f]{64})$/,
    ({ session }) => {
      sessions.delete(session.id);
      write('remove', session.id, 'removed');
      return session;
    },
  ],
  [
    'POST',
    /^\/v1\/sessions\/([0-9a-f]{64})\/(stop|extend)$/,
    ({ session, match }) => {
      if (match[2] === 'stop') session.state = 'sealing';
      write(match[2], session.id, '');
      return session;
    },
  ],
  ['GET', /^\/v1\/sessions\/([0-9a-f]{64})\/consequence$/, ({ query }) => consequence(query.get('action'), '')],
  ['GET', /^\/v1\/sessions\/([0-9a-f]{64})\/flow$/, ({ session }) => flowOf(session.id)],
  ['GET', /^\/v1\/sessions\/([0-9a-f]{64})\/chunks$/, ({ session }) => ({ chunks: chunksOf(session.id) })],
  [
    'GET',
    /^\/v1\/sessions\/([0-9a-f]{64})\/manifest$/,
    ({ session, headers }) => {
      const recording = recordings.get(session.id);
      if (!recording) throw new Refused(409, 'wrong_state', 'the recording has no manifest yet');
      headers['X-Lucid-Signature'] = recording.signature;
      return Buffer.from(recording.manifest);
    },
  ],
  [
    'GET',
    /^\/v1\/sessions\/([0-9a-f]{64})\/chunks\/(video|events)\/(\d+)$/,
    ({ match: [, id, track, index] }) => {
      const file = recordings.get(id)?.files.get(`${track}/${index}`);
      if (!file) throw notFound(`there is no ${track} chunk ${index}`);
      if (track !== 'video' || Number(index) !== damageVideoChunk) return Buffer.from(file);
      const copy = Buffer.from(file);
      copy[copy.length >> 1] ^= 1;
      return copy;
    },
  ],
  ['GET', /^\/v1\/sessions\/([0-9a-f]{64})\/proof$/, () => Buffer.from(vector('proof.json'))],
  ['POST', /^\/v1\/sessions\/([0-9a-f]{64})\/verify$/, ({ session }) => verify(session.id)],
  [
    'GET',
    /^\/v1\/ledger$/,
    ({ query }) => {
      const from = Number(query.get('before') ?? 47);
      return { blocks: Array.from({ length: Math.min(from, Number(query.get('count'))) }, (_, i) => block(from - 1 - i)) };
    },
  ],
  [
    'GET',
    /^\/v1\/ledger\/search$/,
    ({ query }) => ({
      found: Array.from({ length: 46 }, (_, height) =>
        entriesOf(height).map((entry, entry_index) => ({ ...entry, height, entry_index })),
      )
        .flat()
        .filter((entry) => [entry.session, entry.manifest, entry.root].some((hex) => hex.startsWith(query.get('q')))),
    }),
  ],
  [
    'GET',
    /^\/v1\/ledger\/(\d+)$/,
    ({ match }) => {
      if (Number(match[1]) > 46) throw notFound(`there is no block ${match[1]} yet; the newest is block 46`);
      return { ...block(Number(match[1])), entries: entriesOf(Number(match[1])) };
    },
  ],
  ['GET', /^\/v1\/letters$/, () => letters],
  ['GET', /^\/v1\/audit$/, () => ({ entries: [...audit].reverse(), intact: true })],
  ['GET', /^\/v1\/cluster$/, () => cluster],
  ['GET', /^\/v1\/cluster\/consequence$/, ({ query }) => ({ text: consequence(query.get('action'), 'cluster').text })],
  [
    'POST',
    /^\/v1\/cluster\/init$/,
    ({ body }) => {
      if (cluster.name) throw new Refused(409, 'wrong_state', `this node is in the cluster ${cluster.name}`);
      beginCluster(body.name, [selfMember]);
      write('cluster init', body.name, 'begins a cluster');
      return { text: `the cluster ${body.name} begins`, list_version: cluster.list_version };
    },
  ],
  [
    'POST',
    /^\/v1\/cluster\/invitations$/,
    ({ body }) => {
      if (!cluster.name) throw new Refused(409, 'wrong_state', 'this node stands alone');
      write('cluster invite', 'cluster', 'one node may join');
      const made = {
        id: randomBytes(4).toString('hex'),
        issued_us: now_us(),
        expires_us: now_us() + (body.valid_seconds ?? 3600) * second,
      };
      invitations.push(made);
      return {
        invitation: `lucid-join:${randomBytes(60).toString('base64url')}`,
        address: 'tcp://10.0.0.7:7800',
        expires_us: made.expires_us,
        id: made.id,
      };
    },
  ],
  ['GET', /^\/v1\/cluster\/invitations$/, () => ({ invitations })],
  [
    'DELETE',
    /^\/v1\/cluster\/invitations\/([^/]+)$/,
    ({ match }) => {
      if (!/^([0-9a-f]{8}|all)$/.test(match[1])) throw new Refused(400, 'invalid_input', 'an invitation has eight digits');
      const left = invitations.filter(({ id }) => id !== match[1] && match[1] !== 'all');
      if (left.length === invitations.length && match[1] !== 'all') throw notFound('no invitation of this id is open here');
      invitations = left;
      write('cluster uninvite', match[1], 'let in no more');
      return { text: 'the invitation was taken back', list_version: cluster.list_version };
    },
  ],
  [
    'POST',
    /^\/v1\/cluster\/join$/,
    ({ body }) => {
      if (!body.invitation.startsWith('lucid-join:'))
        throw new Refused(400, 'invalid_input', 'an invitation begins with "lucid-join:"');
      beginCluster('field', [makeMember('attic', 'up', ['tcp://10.0.0.8:7800'], 840, 9000), selfMember]);
      return { text: 'this node is in the cluster field', list_version: cluster.list_version };
    },
  ],
  [
    'DELETE',
    /^\/v1\/cluster\/members\/([^/]+)$/,
    ({ match }) => {
      const member = memberOf(match[1]);
      if (!member) throw notFound(`there is no member ${match[1]}`);
      setMember(member, 'down');
      cluster.members = cluster.members.filter((one) => one !== member);
      replication.holders = replication.holders.filter(({ node }) => node !== member.id);
      cluster.list_version += 1;
      write('cluster remove', member.name, 'cut off');
      return { text: `${member.name} was removed`, list_version: cluster.list_version };
    },
  ],
  [
    'POST',
    /^\/v1\/keys\/rotate$/,
    ({ body }) => {
      if (!cluster.name) throw new Refused(409, 'wrong_state', 'this node stands alone');
      write('keys rotate', body.onion ? 'transport key and onion address' : 'transport key', '');
      return { text: 'the transport key is new', list_version: cluster.list_version };
    },
  ],
  [
    'GET',
    /^\/v1\/replication$/,
    () => {
      if (!cluster.name) throw new Refused(409, 'wrong_state', 'this node stands alone');
      return replication;
    },
  ],
  [
    'POST',
    /^\/v1\/replication\/audit$/,
    ({ body }) => ({
      session: body.session,
      chunk_count: 40,
      from: body.from ?? 0,
      next: 40,
      done: true,
      short_count: 0,
      copies: replication.holders.map(({ node, name, up }) => ({
        node,
        name,
        held: 40,
        verified: up ? 40 : 0,
        damaged: 0,
        missing: 0,
        failure: up ? '' : 'it is down',
      })),
    }),
  ],
  // Only of this mock: the tests damage a chunk on its way, and have a member go down.
  [
    'POST',
    /^\/mock\/down\/([^/]+)$/,
    ({ match }) => {
      setMember(memberOf(match[1]), 'down');
      return {};
    },
  ],
  [
    'POST',
    /^\/mock\/damage\/(-?\d+)$/,
    ({ match }) => {
      damageVideoChunk = Number(match[1]);
      return {};
    },
  ],
];

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}

const signedIn = (request) => (request.headers.cookie ?? '').includes(`lucid_session=${cookie}`);

async function answerApi(request, response, url) {
  if (!signedIn(request))
    throw new Refused(401, 'login_failed', 'nobody is logged in, or no longer; `lucid console open` prints a login link');
  if (request.method !== 'GET' && !url.pathname.startsWith('/mock/') && request.headers['x-lucid-csrf'] !== csrf)
    throw new Refused(403, 'permission_denied', 'the X-Lucid-CSRF header is missing or wrong');
  for (const [method, pattern, handle] of routes) {
    const match = pattern.exec(url.pathname)?.map(decodeURIComponent);
    if (!match || method !== request.method) continue;
    const session = sessions.get(match[1]);
    if (url.pathname.startsWith('/v1/sessions/') && !session) throw notFound('there is no such session');
    const headers = {};
    const body = await bodyOf(request);
    const operation = operationOf(method, url.pathname);
    const wrong = operation && requestDefects(operation, url.searchParams, body);
    if (wrong) throw new Refused(400, 'invalid_input', wrong);
    const told_ = handle({ match, session, headers, query: url.searchParams, body });
    const status = { startSession: 201, stopNode: 202 }[operation?.operationId] ?? 200;
    if (Buffer.isBuffer(told_))
      response
        .writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': told_.length, ...headers })
        .end(told_);
    else response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(told_));
    return;
  }
  throw notFound(`there is no ${request.method} ${url.pathname}`);
}

async function answerFile(response, path) {
  const name = path === '/' ? '/index.html' : path;
  if (!/^\/(index\.html|assets\/[\w.-]+)$/.test(name)) throw notFound('there is no such page');
  const data = await readFile(join(options.pages, name)).catch(() => {
    throw notFound('there is no such file');
  });
  response
    .writeHead(200, {
      'Content-Type': media[extname(name)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
    .end(data);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  try {
    if (url.pathname === '/login' && url.searchParams.get('token') === token)
      response
        .writeHead(303, { Location: '/', 'Set-Cookie': `lucid_session=${cookie}; HttpOnly; SameSite=Strict; Path=/` })
        .end();
    else if (url.pathname.startsWith('/v1/') || url.pathname.startsWith('/mock/')) await answerApi(request, response, url);
    else if (['/healthz', '/readyz', '/metrics'].includes(url.pathname))
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok\n');
    else await answerFile(response, url.pathname);
  } catch (error) {
    const { status = 500, message } = error;
    const code = error instanceof Refused ? error.code : 'internal';
    response
      .writeHead(status, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ error: { code, who: 'mock', what: message } }));
  }
});

// --- the stream --------------------------------------------------------------------------------------------------------

const streams = new WebSocketServer({ noServer: true, maxPayload: 65_536 });
server.on('upgrade', (request, socket, head) => {
  if (request.url !== '/v1/stream' || !signedIn(request)) return socket.destroy();
  streams.handleUpgrade(request, socket, head, (client) => serve(client));
});

/** What changed between two states of the same things, by name and member. */
function difference(before, after) {
  const set = {};
  for (const [name, item] of after) {
    const old = before.get(name);
    const changed = Object.fromEntries(
      Object.entries(item).filter(([member, value]) => !old || JSON.stringify(old[member]) !== JSON.stringify(value)),
    );
    if (Object.keys(changed).length > 0) set[name] = changed;
  }
  return { set, gone: [...before.keys()].filter((name) => !after.has(name)) };
}

function serve(client) {
  let topics = [];
  let timer;
  const sent = new Map();
  const taps = new Set();
  const say = (message) => {
    if (client.readyState === 1 && client.bufferedAmount < 1 << 20) client.send(JSON.stringify(message));
  };
  const sendThings = (topic, things) => {
    const copy = new Map([...things].map(([name, item]) => [name, { ...item }]));
    const last = sent.get(topic);
    const seq = (last?.seq ?? 0) + 1 + (seconds % 3); // It rises, but not by one.
    const { set, gone } = difference(last?.copy ?? new Map(), copy);
    sent.set(topic, { seq, copy });
    say({ topic, seq, full: !last, set, gone });
  };
  const tick = () => {
    for (const topic of topics) {
      if (topic === 'actors') sendThings(topic, new Map([...actors].map(([path, actor]) => [path, told(actor)])));
      else if (topic === 'sessions') sendThings(topic, sessions);
      else if (topic === 'node') say({ topic, seq: seconds + 1, full: true, set: { ...node, ...machine } });
      else if (topic === 'letters') say({ topic, seq: 1, full: true, set: letters });
      else if (topic.startsWith('flow:')) say({ topic, seq: seconds + 1, full: true, set: flowOf(topic.slice(5)) });
    }
    for (const path of taps)
      say({
        topic: 'tap',
        path,
        missed: 0,
        messages: Array.from({ length: 4 }, (_, i) => ({
          at_us: now_us() - 250_000 * (4 - i),
          type: ['fragment', 'chunk_stored', 'tick', 'query'][i],
          size_bytes: 64 + Math.floor(random() * 9e4),
          sender: i === 2 ? '' : 'storage/store',
          fields: `sequence: ${seconds * 4 + i}, track: video, payload: <${Math.floor(random() * 9e4)} bytes>`,
        })),
      });
  };
  client.on('message', (data) => {
    const wish = JSON.parse(data.toString());
    if (wish.watch) {
      topics = wish.watch.topics;
      for (const topic of sent.keys()) if (!topics.includes(topic)) sent.delete(topic);
      clearInterval(timer);
      timer = setInterval(tick, wish.watch.interval_ms);
      tick();
    }
    if (wish.tap) taps.add(wish.tap);
    if (wish.untap) taps.delete(wish.untap);
  });
  client.on('close', () => clearInterval(timer));
}

setInterval(() => {
  moveActors();
  moveSessions();
  moveNode();
  moveCluster();
}, 1000);
moveActors();
moveNode();
endActor(`sessions/${sessionIds[0]}/seal`, 'the work pool refused: out of memory (resource exhausted)');
server.listen(Number(options.port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/login?token=${token}`);
  console.log(
    JSON.stringify({ running: sessionIds[0], stalled: sessionIds[1], playable: playable?.id, example: example.id }),
  );
});
