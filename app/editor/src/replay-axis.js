// The axis of the scrubber. Rounds are as long as they took; pauses, breaks and what came after the
// end take no more than a sliver, or a night's pause would leave no room for the work.

const SLIVER = 0.025; // of the time in rounds

export class Axis {
  constructor(stretches) {
    const isWork = ({ kind }) => kind === "round";
    const length = ({ from_us, to_us }) => (to_us - from_us) / 1000;
    const work = stretches.filter(isWork).reduce((sum, one) => sum + length(one), 0);
    const widths = stretches.map((one) =>
      isWork(one) ? length(one) : Math.min(length(one), Math.max(1, SLIVER * work)),
    );
    const whole = widths.reduce((sum, width) => sum + width, 0) || 1;
    let left = 0;
    this.stretches = stretches.map((one, index) => {
      const from = left / whole;
      left += widths[index];
      return {
        kind: one.kind,
        round: one.round,
        fromMs: one.from_us / 1000,
        toMs: one.to_us / 1000,
        from,
        to: left / whole,
      };
    });
  }

  // The stretch at a time; at a border the one that ends there: a round ends with its last word.
  stretchAt(ms) {
    return this.stretches.find(({ toMs }) => ms <= toMs) ?? this.stretches.at(-1);
  }

  // Where a time lies, 0 to 1.
  share(ms) {
    const found = this.stretchAt(ms);
    if (!found) return 0;
    const done = (ms - found.fromMs) / (found.toMs - found.fromMs);
    return found.from + Math.min(1, Math.max(0, done)) * (found.to - found.from);
  }

  // The time at a place, 0 to 1.
  timeAt(share) {
    const found = this.stretches.find(({ to }) => share <= to) ?? this.stretches.at(-1);
    if (!found) return 0;
    const done = (share - found.from) / (found.to - found.from);
    return found.fromMs + Math.min(1, Math.max(0, done)) * (found.toMs - found.fromMs);
  }
}
