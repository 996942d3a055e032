// ring: the samples of one series that the page keeps, in order of time.
//
// Why: a page stays open for weeks, so each series has a limit; the oldest
// samples make room.  Two flat arrays in a circle: a push costs no allocation.

export class Ring {
  readonly capacity: number;
  private readonly ts: Float64Array;
  private readonly vs: Float64Array;
  private start = 0;
  private count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.ts = new Float64Array(capacity);
    this.vs = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  private at(i: number): number {
    return (this.start + i) % this.capacity;
  }

  time(i: number): number {
    return this.ts[this.at(i)] ?? NaN;
  }

  /** NaN stands for a sample whose value can't be drawn. */
  value(i: number): number {
    return this.vs[this.at(i)] ?? NaN;
  }

  clear(): void {
    this.start = 0;
    this.count = 0;
  }

  push(t: number, v: number): void {
    const last = this.count > 0 ? this.time(this.count - 1) : -Infinity;
    if (t > last) this.append(t, v);
    else if (t === last) this.vs[this.at(this.count - 1)] = v;
    else this.insert(t, v);
  }

  private append(t: number, v: number): void {
    if (this.count === this.capacity) {
      this.start = this.at(1);
      this.count--;
    }
    const i = this.at(this.count++);
    this.ts[i] = t;
    this.vs[i] = v;
  }

  /** A sample that arrives late: rare, so the younger ones are simply moved. */
  private insert(t: number, v: number): void {
    const k = this.lowerBound(t);
    if (k < this.count && this.time(k) === t) {
      this.vs[this.at(k)] = v;
      return;
    }
    if (this.count === this.capacity) {
      if (k === 0) return; // older than all that is kept
      this.moveDown(k);
      this.ts[this.at(k - 1)] = t;
      this.vs[this.at(k - 1)] = v;
      return;
    }
    for (let i = this.count; i > k; i--) {
      this.ts[this.at(i)] = this.time(i - 1);
      this.vs[this.at(i)] = this.value(i - 1);
    }
    this.count++;
    this.ts[this.at(k)] = t;
    this.vs[this.at(k)] = v;
  }

  /** Drops the oldest sample and moves those before k down by one. */
  private moveDown(k: number): void {
    for (let i = 0; i + 1 < k; i++) {
      this.ts[this.at(i)] = this.time(i + 1);
      this.vs[this.at(i)] = this.value(i + 1);
    }
  }

  /** Index of the first sample at t or later. */
  lowerBound(t: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.time(mid) < t) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
