/** CLIENT PAUSE: until a deadline, writes or all commands wait. */

export type PauseKind = "write" | "all";

export class Pause {
  endMs = 0;
  kind: PauseKind = "all";

  /** Extends a pause under way: the later end and the stricter kind win, as in Redis. */
  begin(kind: PauseKind, endMs: number, nowMs: number): void {
    if (this.isOn(nowMs)) {
      this.endMs = Math.max(this.endMs, endMs);
      if (kind === "all") this.kind = "all";
      return;
    }
    this.kind = kind;
    this.endMs = endMs;
  }

  end(): void {
    this.endMs = 0;
  }

  isOn(nowMs: number): boolean {
    return this.endMs !== 0 && nowMs < this.endMs;
  }
}
