// What the API says, as types. Source: docs/api/console.openapi.yaml. Members carry the names of the wire.

/** waiting: it failed, and its back-off has to pass. restarting: it ended in order, and begins anew. */
export type ActorState = 'running' | 'starting' | 'restarting' | 'waiting' | 'suspended' | 'stopped';

export interface HandlerTimes {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}
export interface HandlerOfType {
  type: string;
  count: number;
  p50_ns: number;
  p99_ns: number;
  max_ns: number;
}
export interface Incarnation {
  at_us: number;
  incarnation: number;
  reason: string;
}
export interface Sender {
  path: string;
  count: number;
}

export interface Actor {
  path: string;
  kind: string;
  parent: string; // '' for the root.
  position: number; // Among its siblings, in start order: under rest_for_one the later share the fate of the earlier.
  supervisor: boolean;
  strategy?: string; // Of a supervisor, as are the next four.
  dynamic?: boolean;
  restarts_max?: number;
  period_ms?: number;
  child_count?: number;
  restart_kind: string;
  significant: boolean;
  shutdown_timeout_ms: number;
  state_now: ActorState;
  incarnation: number;
  present: boolean;
  answered: boolean;
  started_us: number;
  mailbox_length: number;
  handled_count: number;
  rate: number; // Messages a second.
  busy_share: number; // 0 .. 1
  running_ns: number;
  restart_count: number;
  dead_letter_count: number;
  handler_ns: HandlerTimes;
  handler_by_type: HandlerOfType[];
  senders: Sender[];
  handled: Record<string, number>;
  state: Record<string, string>;
  restarts: Incarnation[];
}

export interface ActorHistory {
  interval_s: number;
  mailbox: number[];
  rate: number[];
  busy: number[];
}
export interface ActorDetail extends Actor {
  history: ActorHistory;
  capsules: string[];
}

export interface Message {
  at_us: number;
  type: string;
  size_bytes: number;
  sender: string;
  fields: string;
}
export interface CapsuleHead {
  id: string;
  path: string;
  incarnation: number;
  at_us: number;
  reason: string;
}
export interface Capsule extends CapsuleHead {
  messages: Message[];
  failing: boolean; // Whether the last of the messages is the one at which it ended.
  state: { key: string; value: string }[];
  spec: Record<string, unknown>;
  restart_count: number;
}

export interface NodeStatus {
  name: string;
  software: string;
  version: string;
  data_dir: string;
  pid: number;
  started_us: number;
  uptime_us: number;
  ledger_height?: number;
  draining: boolean;
}

export interface Machine {
  cpu_share: number; // Of all cores: 0 .. 1.
  cores: number;
  load: number[];
  resident_bytes: number;
  bound_bytes: number;
  bounds: { what: string; bytes: number }[];
  threads: { name: string; cpu_share: number }[];
  scheduler_share: number;
  disk: { path: string; free_bytes: number; size_bytes: number; used_bytes: number };
  temperature_c?: number;
  throttled?: boolean;
  open_files: number;
  open_files_max: number;
  network: { name: string; rx_bytes: number; tx_bytes: number }[];
}

export interface ConfigKey {
  key: string;
  value: string;
  default: string;
  unit: string;
  source: 'default' | 'file' | 'environment' | 'flag';
  secret: boolean;
  what: string;
}

export interface LogLine {
  at_us: number;
  level: string;
  path: string;
  session?: string;
  text: string;
}

export interface Session {
  id: string;
  state: string;
  title: string;
  owner: string;
  source: string;
  created_us: number;
  started_us: number;
  ended_us: number;
  frame_count: number;
  fragment_count: number;
  gap_count: number;
  captured_bytes: number;
  stored_bytes: number;
  chunk_count: number;
  block_height: number;
  block_producer: string; // Whose chain the block is of; empty: this node's own.
  reason: string;
  interrupted: boolean;
}

export interface Stage {
  path: string;
  role: string;
  rate_bytes_s: number;
  queued_bytes: number;
  credit_bytes: number;
  credit_max_bytes: number;
  waits_for?: string;
}
export interface Flow {
  stages: Stage[];
}

export interface ChunkRecord {
  track: 'video' | 'events';
  index: number;
  start_us: number;
  end_us: number;
  first_sequence: number;
  last_sequence: number;
  frame_count: number;
  plain_size_bytes: number;
  sealed_size_bytes: number;
  content: string;
  root: string;
}

export interface Verdict {
  verdict: string;
  checks: { name: string; verdict: string; found: string }[];
  damage: { chunk: number; track: string; block: number; offset: number }[];
}

export interface LedgerEntry {
  session: string;
  manifest: string;
  root: string;
  sealed_us: number;
}
export interface Block {
  height: number;
  hash: string;
  previous: string;
  slot: number;
  time_us: number;
  entry_count: number;
  entries_root: string;
  producer: string;
  signature: string;
  entries?: LedgerEntry[];
}

export interface Letters {
  dead_letters: { path: string; count: number }[];
  refusals: { at_us: number; kind: string; source: string; what: string; count: number }[];
}

export type MemberState = 'self' | 'up' | 'down';
export interface Member {
  id: string;
  name: string;
  sign_key: string;
  box_key: string;
  addresses: string[];
  state: MemberState;
  since_us: number;
  round_trip_us: number; // 0: not known.
  software: string;
}
export interface Lease {
  role: string;
  place: number;
  holder: string; // '' for nobody.
  holder_name: string;
  fence: number;
  remaining_ms: number;
}
export interface Cluster {
  name: string; // '' for a node that stands alone.
  cluster_id: string;
  list_version: number;
  self: string;
  members: Member[];
  leases: Lease[];
}
export interface ClusterAck {
  text: string;
  list_version: number;
}
export interface Invitation {
  invitation: string; // A secret.
  id: string;
  address: string;
  expires_us: number;
}
export interface Holder {
  node: string;
  name: string;
  up: boolean;
  chunk_count: number;
  bytes: number;
  challenges_ok: number;
  challenges_failed: number;
  challenges_late: number;
}
export interface Replication {
  copies: number;
  session_count: number;
  chunk_count: number;
  replicated_count: number;
  without_copy_count: number;
  in_flight: number;
  last_failure: string;
  holders: Holder[];
}

export interface AuditEntry {
  number: number;
  at_us: number;
  operator: string;
  action: string;
  target: string;
  consequence: string;
  outcome: string;
  previous: string;
  hash: string;
  signature: string;
}

export interface Me {
  csrf: string;
  idle_s: number;
  role: string;
}
export interface Consequence {
  text: string;
  children?: number;
}
