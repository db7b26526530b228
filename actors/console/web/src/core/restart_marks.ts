// Which actors were restarted while somebody watched. Pure: the caller says what time it is.

export interface RestartMark {
  restarts: number;
  lastAtMs: number;
}

/** How long a restarted row flashes. */
export const flashMs = 2_000;

/** Remembers restart counts, and marks every path whose count rises until the marks are cleared. */
export class RestartMarks {
  private readonly counts = new Map<string, number>();
  private readonly marks = new Map<string, RestartMark>();

  /** Looks at one path; the first look only remembers. True if it was restarted since the look before. */
  see(path: string, restartCount: number, nowMs: number): boolean {
    const before = this.counts.get(path);
    this.counts.set(path, restartCount);
    if (before === undefined || restartCount <= before) return false;
    const restarts = (this.marks.get(path)?.restarts ?? 0) + restartCount - before;
    this.marks.set(path, { restarts, lastAtMs: nowMs });
    return true;
  }

  of(path: string): RestartMark | undefined {
    return this.marks.get(path);
  }
  flashes(path: string, nowMs: number): boolean {
    const mark = this.marks.get(path);
    return mark !== undefined && nowMs - mark.lastAtMs < flashMs;
  }
  get size(): number {
    return this.marks.size;
  }
  clear(): void {
    this.marks.clear();
  }
}
