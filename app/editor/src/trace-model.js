// A Chrome trace as rows of spans, and questions about time on it. Times in microseconds.

const GROUPS = { network: /^network/, gpu: /stream$/ }; // every other row is the host's

export class TraceModel {
  constructor({ traceEvents }) {
    const names = new Map(); // "rank:thread" -> the row's name
    const rows = new Map();
    for (const event of traceEvents) {
      if (event.name === "thread_name") names.set(`${event.pid}:${event.tid}`, event.args.name);
    }
    this.spans = traceEvents.filter((event) => event.ph === "X").map(readSpan);
    for (const span of this.spans) {
      const key = `${span.rank}:${span.thread}`;
      if (!rows.has(key)) {
        const name = names.get(key) ?? String(span.thread);
        rows.set(key, { key, rank: span.rank, thread: span.thread, name, group: groupOf(name), spans: [] });
      }
      span.row = rows.get(key);
      span.row.spans.push(span);
    }
    this.rows = [...rows.values()].sort((a, b) => a.rank - b.rank || a.thread - b.thread);
    for (const row of this.rows) row.spans.sort((a, b) => a.start - b.start);
    this.ranks = [...new Set(this.rows.map((row) => row.rank))];
    this.byNumber = new Map(this.spans.map((span) => [span.number, span]));
    this.end = Math.max(...this.spans.map((span) => span.end));
  }

  find(words) {
    const wanted = words.toLowerCase();
    return this.spans.filter((span) => span.text.includes(wanted) || String(span.number) === wanted);
  }
}

function readSpan(event) {
  const { span: number, ...args } = event.args;
  return {
    number,
    name: event.name,
    label: args.module ? `${event.name} · ${args.module}` : event.name,
    text: `${event.name} ${args.module ?? ""}`.toLowerCase(),
    category: event.cat,
    rank: event.pid,
    thread: event.tid,
    start: event.ts,
    end: event.ts + event.dur,
    args,
  };
}

function groupOf(name) {
  return Object.keys(GROUPS).find((group) => GROUPS[group].test(name)) ?? "host";
}

// Index of the first span of a row that ends after `time`; the row's spans do not overlap.
export function firstAfter(row, time) {
  let low = 0;
  let high = row.spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row.spans[middle].end > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The span of a row that covers `time`, or the nearest one.
export function nearest(row, time) {
  const index = firstAfter(row, time);
  const after = row.spans[index];
  const before = row.spans[index - 1];
  if (!after) return before;
  if (!before || after.start <= time) return after;
  return time - before.end < after.start - time ? before : after;
}

// A window on the time axis, never empty and never outside the trace.
export class TimeWindow {
  constructor(end) {
    this.whole = end;
    this.show(0, end);
  }

  show(from, to) {
    const length = Math.min(this.whole, Math.max(MIN_LENGTH, to - from));
    this.from = Math.min(Math.max(0, from - Math.max(0, length - (to - from)) / 2), this.whole - length);
    this.to = this.from + length;
  }

  get length() {
    return this.to - this.from;
  }

  zoom(factor, around = (this.from + this.to) / 2) {
    const length = Math.min(this.whole, Math.max(MIN_LENGTH, this.length * factor));
    const from = around - ((around - this.from) / this.length) * length;
    this.show(from, from + length);
  }

  move(by) {
    const from = Math.min(Math.max(0, this.from + by), this.whole - this.length);
    this.show(from, from + this.length);
  }

  reveal(span) {
    const margin = this.length * 0.1;
    if (span.end - span.start > this.length) this.show(span.start - margin, span.end + margin);
    else if (span.start < this.from) this.move(span.start - margin - this.from);
    else if (span.end > this.to) this.move(span.end + margin - this.to);
  }
}

const MIN_LENGTH = 50;
