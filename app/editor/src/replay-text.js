// The text of a round at any moment: its edits as they were recorded, and the whole text before every
// KEYFRAME_EVERY-th of them, so that a jump applies few. Counted in UTF-16 units, as the edits are.

const KEYFRAME_EVERY = 256;

// A place in time: everything up to `ms`, and of what happened right then only up to `sequence`.
export function place(ms, sequence = Infinity) {
  return { ms, sequence };
}

export class TextTrack {
  constructor() {
    this.times = []; // ms since the start, never falling
    this.sequences = [];
    this.authors = [];
    this.splices = []; // [at, gone, new]
    this.keyframes = [];
    this.newest = { count: 0, text: "" };
    this.shown = this.newest;
    this.isWhole = false; // all pages have come
  }

  get length() {
    return this.times.length;
  }

  // Rows [sequence, us, author, at, gone, new] that follow those that are here.
  add(rows) {
    let { text } = this.newest;
    for (const [sequence, us, author, ...splice] of rows) {
      if (this.length % KEYFRAME_EVERY === 0) this.keyframes.push(text);
      // A clock that was set back does not put an edit before the one that it changed.
      this.times.push(Math.max(us / 1000, this.times.at(-1) ?? 0));
      this.sequences.push(sequence);
      this.authors.push(author);
      this.splices.push(splice);
      text = applied(text, splice);
    }
    this.newest = { count: this.length, text };
  }

  // How many edits had happened at a place in time.
  countAt({ ms, sequence }) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const isLater =
        this.times[middle] > ms || (this.times[middle] === ms && this.sequences[middle] > sequence);
      if (isLater) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // The text after so many edits.
  after(count) {
    if (count === this.newest.count) return this.newest.text;
    const keyframe = Math.floor(count / KEYFRAME_EVERY);
    let [from, text] = [keyframe * KEYFRAME_EVERY, this.keyframes[keyframe]];
    // While it plays, the text of the frame before is nearer.
    if (this.shown.count >= from && this.shown.count <= count) {
      [from, text] = [this.shown.count, this.shown.text];
    }
    for (let index = from; index < count; index += 1) text = applied(text, this.splices[index]);
    this.shown = { count, text };
    return text;
  }

  // Where the last of so many edits ended, and whose it was; null where nobody typed it.
  caretAfter(count) {
    if (!count || this.authors[count - 1] < 0) return null;
    const [at, , added] = this.splices[count - 1];
    return { from: at, to: at + added.length, author: this.authors[count - 1] };
  }
}

function applied(text, [at, gone, added]) {
  return text.slice(0, at) + added + text.slice(at + gone);
}

// The smallest single change between two texts, for an editor that keeps what did not change.
export function changeBetween(before, after) {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let end = 0;
  while (
    end < shorter - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  ) {
    end += 1;
  }
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}
