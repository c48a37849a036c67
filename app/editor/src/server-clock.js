// The server's time in this browser. A reading of the server's clock is carried on by
// performance.now(), which no change of the local clock moves; it may stand still while a machine
// sleeps, so a sleep is noticed and the server asked again.
import { request } from "./requests.js";

const JUMP_MS = 400; // local and monotonic time apart by more: a sleep, or somebody set the clock
const ROUGH_MS = 500; // an answer that took longer than twice this says little about the time
const FRESH_MS = 120000;
const ATTEMPTS = 4;

export class ServerClock extends EventTarget {
  constructor(url, known) {
    super();
    this.url = url;
    this.accept(known, performance.now(), Infinity);
  }

  now() {
    return this.serverMs + (performance.now() - this.takenAt);
  }

  // How far the wall clock is from the monotonic one: the same for as long as nothing jumps.
  get wallOffset() {
    return Date.now() - performance.now();
  }

  get hasJumped() {
    return Math.abs(this.wallOffset - this.offsetThen) > JUMP_MS;
  }

  async sync() {
    if (this.asking) return this.asking;
    this.asking = this.ask().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  // An answer that was long on its way says little about the time, however it came to be long: a
  // slow line, or a machine that slept in between and whose clock went on. Then it asks again.
  async ask() {
    let best = null;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const reading = await this.read();
      if (!best || reading.uncertaintyMs < best.uncertaintyMs) best = reading;
      best.known = { ...reading.known, now_ms: best.known.now_ms };
      if (best.uncertaintyMs <= ROUGH_MS) break;
    }
    this.accept(best.known, best.at, best.uncertaintyMs);
  }

  async read() {
    const before = performance.now();
    const offsetBefore = this.wallOffset;
    const response = await request(this.url);
    const after = performance.now();
    if (!response.ok) throw new Error(`the clock answered ${response.status}`);
    const known = await response.json();
    const slept = Math.abs(this.wallOffset - offsetBefore) > JUMP_MS;
    const uncertaintyMs = slept ? Infinity : (after - before) / 2;
    return { known, at: (before + after) / 2, uncertaintyMs };
  }

  // Takes a reading unless a better one is still good.
  accept(known, at, uncertaintyMs) {
    this.known = known;
    const still =
      this.takenAt !== undefined &&
      !this.hasJumped &&
      this.uncertaintyMs < uncertaintyMs &&
      at - this.takenAt < FRESH_MS;
    if (!(still && uncertaintyMs > ROUGH_MS)) {
      this.serverMs = known.now_ms;
      this.takenAt = at;
      this.uncertaintyMs = uncertaintyMs;
      this.offsetThen = this.wallOffset;
    }
    this.dispatchEvent(new Event("known"));
  }
}
