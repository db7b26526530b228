// A bounded number of things by name; the oldest gives way. Pure.

/** Owns its things: `release` is called with each that goes. */
export class Kept<T> {
  private readonly things = new Map<string, T>(); // The oldest first.

  constructor(
    private readonly max: number,
    private readonly release: (thing: T) => void,
  ) {}

  get(name: string): T | undefined {
    return this.things.get(name);
  }

  /** The oldest gives way that is not among the `spared`; where all are, the oldest of all. */
  set(name: string, thing: T, spared: ReadonlySet<string> = new Set()): void {
    this.drop(name);
    if (this.things.size >= this.max) {
      const names = [...this.things.keys()];
      this.drop(names.find((one) => !spared.has(one)) ?? names[0]!);
    }
    this.things.set(name, thing);
  }

  drop(name: string): void {
    const thing = this.things.get(name);
    if (this.things.delete(name)) this.release(thing as T);
  }

  clear(): void {
    for (const name of [...this.things.keys()]) this.drop(name);
  }
}
