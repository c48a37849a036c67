// The recording as the server gives it: first what the player draws, then each round's edits in pages.
import { Axis } from "./replay-axis.js";
import { countAt } from "./replay-beside.js";
import { TextTrack, place } from "./replay-text.js";
import { Offline, request } from "./requests.js";

const START = place(0);

export class Recording extends EventTarget {
  constructor(data) {
    super();
    this.authors = data.authors;
    this.endMs = data.end_us / 1000;
    this.axis = new Axis(data.stretches);
    this.moments = data.moments.map((one) => ({ ...one, ms: one.us / 1000 }));
    this.msOf = new Map(this.moments.map(({ sequence, ms }) => [sequence, ms]));
    this.rounds = new Map(
      data.rounds.map((one) => {
        const track = new TextTrack();
        track.isWhole = one.edits === 0;
        const times = { fromMs: one.from_us / 1000, toMs: one.to_us / 1000 };
        return [one.number, { ...one, ...times, track }];
      }),
    );
    this.gather();
  }

  // Fetch all edits, of the round at a place in time before the others.
  async load(at) {
    const first = this.roundAt(at);
    const rounds = [...this.rounds.values()].filter(({ track }) => !track.isWhole);
    for (const round of rounds.sort((one, other) => (other === first) - (one === first))) {
      await this.loadRound(round);
      this.gather();
      this.dispatchEvent(new CustomEvent("loaded", { detail: round }));
    }
  }

  async loadRound({ edits_url, track }) {
    while (!track.isWhole) {
      const after = track.sequences.at(-1) ?? 0;
      const page = await fetchJson(`${edits_url}?after=${after}`);
      track.add(page.edits);
      track.isWhole = page.next === null;
    }
  }

  // Every time at which something happens: silence is what lies between.
  gather() {
    const typed = [...this.rounds.values()].map(({ track }) => track.times);
    const times = [this.moments.map(({ ms }) => ms), ...typed].flat();
    this.times = Float64Array.from(times).sort();
  }

  nextTime(ms) {
    let [low, high] = [0, this.times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] > ms) high = middle;
      else low = middle + 1;
    }
    return this.times[low] ?? this.endMs;
  }

  // The round whose text stands there; in a break the one before. A moment knows its own.
  roundAt({ ms, round }) {
    const own = this.rounds.get(round);
    if (own && own.fromMs <= ms && ms <= own.toMs) return own;
    const stretch = this.axis.stretchAt(ms);
    return this.rounds.get(stretch?.round) ?? this.rounds.values().next().value;
  }

  // How many edits had been made. The starter stands in the editor from the round's first instant,
  // however late somebody looked and it was written down.
  editsAt(round, at) {
    const { track } = round;
    const count = track.countAt(at);
    return count === 0 && track.length && track.authors[0] < 0 ? 1 : count;
  }

  textAfter(round, count) {
    return round.text ?? round.track.after(count);
  }

  momentsAt(at) {
    return countAt(this.moments, at);
  }

  momentPlace({ ms, sequence, round }) {
    return { ...place(ms, sequence), round };
  }

  // The place that an address asks for: ?moment=17, #moment-17 or ?at=12.5, in seconds.
  placeOf({ search, hash }) {
    const query = new URLSearchParams(search);
    const sequence = Number(/^#moment-(\d+)$/.exec(hash)?.[1] ?? query.get("moment") ?? NaN);
    const moment = this.moments.find((one) => one.sequence === sequence);
    if (moment) return this.momentPlace(moment);
    const seconds = query.has("at") ? Number(query.get("at")) : NaN;
    return seconds >= 0 ? place(Math.min(1000 * seconds, this.endMs)) : START;
  }

  // What the round's own clock had left, in ms.
  leftAt(round, at) {
    const stretches = this.axis.stretches.filter(
      (one) => one.kind === "round" && one.round === round.number && one.fromMs < at.ms,
    );
    const used = stretches.reduce((sum, one) => sum + Math.min(at.ms, one.toMs) - one.fromMs, 0);
    const added = this.moments.slice(0, this.momentsAt(at)).filter(
      ({ kind, round: own }) => kind === "time_added" && own === round.number,
    );
    const minutes = added.reduce((sum, one) => sum + one.minutes, round.minutes);
    return Math.max(0, 60000 * minutes - used);
  }
}

export async function fetchJson(url) {
  const response = await request(url);
  if (!response.ok) throw new Offline(String(response.status));
  return response.json();
}
