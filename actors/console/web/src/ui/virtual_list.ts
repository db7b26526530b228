// A list of rows of one height, of which only those in view exist. Ten thousand rows cost what thirty cost.

export interface RowMaker<T> {
  make(): HTMLElement;
  fill(row: HTMLElement, item: T, index: number): void;
}

const spareRows = 6; // Made above and below the view, so that a turn of the wheel shows no hole.

/** Owns the row elements inside `viewport`, which scrolls. Row height is the style's `--row`. */
export class VirtualList<T> {
  private readonly canvas = document.createElement('div');
  private readonly rows: HTMLElement[] = [];
  private items: readonly T[] = [];
  private rowHeight = 0;
  private stretchedTo = -1;
  private readonly watching: ResizeObserver;

  constructor(
    readonly viewport: HTMLElement,
    private readonly maker: RowMaker<T>,
  ) {
    this.canvas.className = 'canvas';
    viewport.append(this.canvas);
    viewport.addEventListener('scroll', () => this.draw(), { passive: true });
    this.watching = new ResizeObserver(() => this.measure());
    this.watching.observe(viewport);
  }

  close(): void {
    this.watching.disconnect();
  }

  show(items: readonly T[]): void {
    this.items = items;
    if (items.length !== this.stretchedTo) this.stretch();
    this.draw();
  }

  /** Scrolls as little as it takes. */
  reveal(index: number): void {
    const top = index * this.rowHeight;
    const { scrollTop } = this.viewport;
    if (top < scrollTop) this.viewport.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + this.viewHeight)
      this.viewport.scrollTop = top + this.rowHeight - this.viewHeight;
  }

  get rowsInView(): number {
    return Math.max(1, Math.floor(this.viewHeight / Math.max(1, this.rowHeight)));
  }

  /** What a head that sticks to the top leaves for rows. */
  private get viewHeight(): number {
    return this.viewport.clientHeight - this.canvas.offsetTop;
  }

  private measure(): void {
    const probe = this.maker.make();
    this.canvas.append(probe);
    this.rowHeight = probe.getBoundingClientRect().height;
    probe.remove();
    this.stretch();
    this.draw();
  }

  private stretch(): void {
    this.stretchedTo = this.items.length;
    this.canvas.style.height = `${this.items.length * this.rowHeight}px`;
  }

  private draw(): void {
    if (this.rowHeight === 0) return;
    const first = Math.max(0, Math.floor(this.viewport.scrollTop / this.rowHeight) - spareRows);
    const inView = Math.ceil(this.viewport.clientHeight / this.rowHeight) + 2 * spareRows;
    const count = Math.min(inView, Math.max(0, this.items.length - first));
    while (this.rows.length < count) {
      const row = this.maker.make();
      this.rows.push(row);
      this.canvas.append(row);
    }
    for (const [i, row] of this.rows.entries()) {
      row.hidden = i >= count;
      if (i >= count) continue;
      row.style.transform = `translateY(${(first + i) * this.rowHeight}px)`;
      this.maker.fill(row, this.items[first + i]!, first + i);
    }
  }
}
