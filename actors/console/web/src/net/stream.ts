// The live stream: one WebSocket, opened again when it breaks, silent while nobody looks.
import type { Message } from '../core/types.ts';

/** Bounds of the node: watched_topics_max 8, taps 4 a page, both above what any page asks for. */
export interface Tapped {
  topic: 'tap';
  path: string;
  messages: Message[];
  missed: number;
}
export type Topical = { topic: string } & Record<string, unknown>;
export type StreamState = 'connecting' | 'live' | 'paused' | 'lost';

const retryMsMin = 500;
const retryMsMax = 15_000;
const messageCharsMax = 64 << 20;

/** What a page wants to see is said by `watch`; it is repeated after every reconnection. */
export class Stream {
  state: StreamState = 'connecting';
  onState: (state: StreamState) => void = () => {};
  /** `arrivedMs`: when it came in, by performance.now(). */
  onMessage: (message: Topical, arrivedMs: number) => void = () => {};

  private socket: WebSocket | undefined;
  private topics: readonly string[] = [];
  private tapped = new Set<string>();
  private retryMs = retryMsMin;
  private stopped = false;

  constructor(
    private readonly address: string,
    private readonly intervalMs: number,
  ) {
    document.addEventListener('visibilitychange', () => {
      this.sayWatch();
      this.settle();
    });
  }

  open(): void {
    this.become('connecting');
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.addEventListener('open', () => {
      this.retryMs = retryMsMin;
      this.sayWatch();
      for (const path of this.tapped) this.say({ tap: path });
      this.settle();
    });
    socket.addEventListener('message', ({ data }) => {
      const arrivedMs = performance.now();
      if (typeof data === 'string' && data.length <= messageCharsMax) this.onMessage(JSON.parse(data) as Topical, arrivedMs);
    });
    socket.addEventListener('close', () => this.lost());
  }

  close(): void {
    this.stopped = true;
    this.socket?.close();
  }

  watch(topics: readonly string[]): void {
    this.topics = topics;
    this.sayWatch();
  }

  /** Watching nothing and then the same again makes the node send everything. */
  resync(): void {
    this.say({ watch: { topics: [], interval_ms: this.intervalMs } });
    this.sayWatch();
  }

  tap(path: string): void {
    this.tapped.add(path);
    this.say({ tap: path });
  }

  untap(path: string): void {
    this.tapped.delete(path);
    this.say({ untap: path });
  }

  private sayWatch(): void {
    this.say({ watch: { topics: document.hidden ? [] : this.topics, interval_ms: this.intervalMs } });
  }

  private say(wish: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wish));
  }

  private settle(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.become(document.hidden ? 'paused' : 'live');
  }

  private lost(): void {
    if (this.stopped) return;
    this.become('lost');
    setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, retryMsMax);
  }

  private become(state: StreamState): void {
    this.state = state;
    this.onState(state);
  }
}
