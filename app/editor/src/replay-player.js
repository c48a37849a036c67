// The replay of an interview: one place in time, and everything on the page as it was then.
import { written } from "./interview-clock.js";
import { Feed, MomentList, ProblemOfRound, ResultAtMoment } from "./replay-beside.js";
import { connectKeys } from "./replay-keys.js";
import { connectPanes } from "./replay-panes.js";
import { Recording, fetchJson } from "./replay-recording.js";
import { Scrubber } from "./replay-scrubber.js";
import { place } from "./replay-text.js";
import { CodeAtMoment, FormAtMoment } from "./replay-views.js";
import { Offline, SignedOut } from "./requests.js";
import { text } from "./texts.js";

const SPEEDS = [1, 2, 4, 8, 16];
const STEP_MS = 10000;
const SILENCE_MS = 10000; // longer than this nothing happens: it may be skipped
const BREAK_SILENCE_MS = 2000; // nobody waits for the end of a break
const LEAD_MS = 1000; // a skip ends this long before the next thing

export class ReplayPlayer extends HTMLElement {
  async connectedCallback() {
    this.trouble = this.querySelector(".replay-trouble");
    this.panes = connectPanes(this, () => this.recording && this.show());
    try {
      this.recording = new Recording(await fetchJson(this.dataset.recording));
      if (!this.isConnected) return;
      this.start();
      await this.recording.load(this.at);
    } catch (failure) {
      if (!(failure instanceof Offline || failure instanceof SignedOut)) throw failure;
      this.isPlaying = false;
      this.showPlaying();
      this.say(this.trouble, text("replay_failed"));
    }
  }

  disconnectedCallback() {
    this.leaving?.abort();
    cancelAnimationFrame(this.frame);
  }

  start() {
    const { recording } = this;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.speed = 1;
    this.isPlaying = false;
    this.skips = this.querySelector("input[name=skip]");
    this.now = this.querySelector(".replay-now");
    this.roundClock = this.querySelector(".replay-round-clock");
    this.announcer = this.querySelector(".replay-announcer");
    this.transport = this.querySelector(".replay-transport");
    this.templates = new Map(
      [...this.querySelectorAll("template[data-round]")].map((one) => [Number(one.dataset.round), one]),
    );
    this.code = new CodeAtMoment(this.querySelector(".replay-code"));
    this.form = new FormAtMoment(this.querySelector(".replay-form"));
    this.list = new MomentList(this.querySelector(".replay-moments"), recording.moments);
    this.feed = new Feed(this.querySelector(".replay-said"), recording.msOf);
    this.problem = new ProblemOfRound(this.querySelector(".replay-problem"));
    this.results = new ResultAtMoment(
      this.querySelector(".replay-result"),
      recording.moments,
      this.list,
      (round) => recording.rounds.get(round).verdict_url,
    );
    this.scrubber = new Scrubber(this.querySelector(".replay-scrubber"), recording.axis, {
      label: (ms) => this.label(ms),
      told: (moment) => `${written(moment.ms)} · ${this.list.told(recording.moments.indexOf(moment))}`,
    });
    this.scrubber.drawMarks(recording.moments);
    this.scrubber.addEventListener("jump", ({ detail }) => this.jump(detail));
    const track = this.querySelector(".replay-track");
    track.setAttribute("aria-valuemax", Math.round(recording.endMs / 1000));
    this.querySelector(".replay-end").textContent = written(recording.endMs);
    const roles = recording.authors.map(({ role }) => role);
    recording.addEventListener("loaded", ({ detail: round }) => {
      this.scrubber.drawActivity(round.number, round.track, roles);
      this.show();
    });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    connectKeys(this, signal);
    const followHash = () => {
      if (location.hash.startsWith("#moment-")) this.jump(recording.placeOf(location), true);
    };
    addEventListener("hashchange", followHash, { signal });
    this.transport.hidden = false;
    this.jump(recording.placeOf(location));
  }

  // Places in time

  jump(at, announced = false) {
    this.at = at;
    this.show();
    if (announced) this.announce();
  }

  move(ms) {
    this.jump(place(Math.min(this.recording.endMs, Math.max(0, this.at.ms + ms))), true);
  }

  // To the moment before or after. From between two moments, back leads to the one that is current.
  stepMoment(step) {
    const { moments } = this.recording;
    const count = this.recording.momentsAt(this.at);
    const isAt = moments[count - 1]?.sequence === this.at.sequence;
    const index = step > 0 ? count : count - (isAt ? 2 : 1);
    if (moments[index]) this.jump(this.recording.momentPlace(moments[index]), true);
  }

  // By one edit of the round that is shown.
  stepEdit(step) {
    const round = this.recording.roundAt(this.at);
    const { track } = round;
    const index = this.recording.editsAt(round, this.at) - 1 + step;
    if (!track.isWhole || index < 0 || index >= track.length) return;
    this.jump({ ...place(track.times[index], track.sequences[index]), round: round.number });
  }

  // Playing

  play(playing = !this.isPlaying) {
    this.isPlaying = playing;
    if (playing && this.at.ms >= this.recording.endMs) this.at = place(0);
    this.showPlaying();
    cancelAnimationFrame(this.frame);
    if (playing) {
      this.before = null;
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else {
      this.show();
      this.announce();
    }
  }

  tick(now) {
    const passed = this.before === null ? 0 : now - this.before;
    this.before = now;
    // A text that is still on its way is waited for.
    if (this.recording.roundAt(this.at).track.isWhole) this.advance(passed * this.speed);
    if (!this.isPlaying) return;
    this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  advance(passed) {
    const { recording } = this;
    const former = recording.momentsAt(this.at);
    let ms = this.at.ms + passed;
    const next = recording.nextTime(this.at.ms);
    const isWork = recording.axis.stretchAt(ms)?.kind === "round";
    const patience = isWork ? (this.skips.checked ? SILENCE_MS : Infinity) : BREAK_SILENCE_MS;
    if (next - this.at.ms > patience) ms = Math.max(ms, next - LEAD_MS);
    this.at = place(Math.min(ms, recording.endMs));
    if (this.at.ms >= recording.endMs) {
      this.play(false);
      return;
    }
    this.show();
    if (this.speed === 1 && recording.momentsAt(this.at) > former) this.announce();
  }

  setSpeed(speed) {
    if (!SPEEDS.includes(speed)) return;
    this.speed = speed;
    for (const button of this.querySelectorAll("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
    }
  }

  changeSpeed(step) {
    this.setSpeed(SPEEDS[SPEEDS.indexOf(this.speed) + step]);
  }

  // Showing

  show() {
    const { recording, at } = this;
    const round = recording.roundAt(at);
    if (!round) return;
    this.scrubber.show(at.ms, this.isPlaying ? null : this.label(at.ms));
    this.say(this.now, written(at.ms));
    this.showRound(round);
    if (this.panes.isShown("moments")) this.list.show(recording.momentsAt(at));
    if (this.panes.isShown("said")) this.feed.show(at);
    const found = this.results.find(at, round.number);
    this.panes.tabs.result.dataset.tone = found ? (found.verdict?.tone ?? "busy") : "";
    if (this.panes.isShown("result")) this.results.show(found);
    if (this.panes.isShown("problem")) this.problem.show(round);
    if (this.panes.isShown("text")) this.showText(round);
    this.list.reveal();
    this.feed.reveal();
  }

  showRound(round) {
    const title = this.templates.get(round.number).dataset;
    this.say(this.querySelector("#replay-round"), `${round.number} · ${title.title}`);
    const kind = this.recording.axis.stretchAt(this.at.ms)?.kind;
    const state = this.querySelector(".replay-state");
    state.hidden = kind === "round" || !kind;
    if (!state.hidden) this.say(state, text(`replay_${kind}`));
    const left = written(this.recording.leftAt(round, this.at));
    this.say(this.roundClock, text("replay_left", { time: left }));
  }

  showText(round) {
    const { track } = round;
    this.querySelector(".replay-text").setAttribute("aria-busy", String(!track.isWhole));
    if (!track.isWhole) {
      this.say(this.trouble, text("replay_loading"));
      return;
    }
    this.say(this.trouble, round.text ? text("replay_not_recorded") : "");
    const count = this.recording.editsAt(round, this.at);
    const shown = this.recording.textAfter(round, count);
    const isForm = round.form === "worksheet" || round.form === "trace";
    this.code.parent.hidden = isForm;
    this.form.parent.hidden = !isForm;
    if (isForm) {
      const before = this.recording.textAfter(round, Math.max(0, count - 1));
      this.form.show(shown, count > 1 ? before : shown, this.templates.get(round.number));
    } else {
      const caret = track.caretAfter(count);
      const author = caret && this.recording.authors[caret.author];
      this.code.show(shown, round.language, caret && { ...caret, ...author });
    }
  }

  showPlaying() {
    const button = this.querySelector("[data-do=play]");
    button.setAttribute("aria-label", this.isPlaying ? button.dataset.pause : button.dataset.play);
    this.classList.toggle("playing", this.isPlaying);
  }

  label(ms) {
    const round = this.recording.roundAt({ ms });
    const { title } = this.templates.get(round.number).dataset;
    const kind = this.recording.axis.stretchAt(ms)?.kind;
    const said = { time: written(ms), number: round.number, title };
    return text("replay_value", said) + (kind === "round" ? "" : ` · ${text(`replay_${kind}`)}`);
  }

  announce() {
    const count = this.recording.momentsAt(this.at);
    const told = count ? ` · ${this.list.told(count - 1)}` : "";
    this.say(this.announcer, `${this.label(this.at.ms)}${told}`);
  }

  // Writes only what is new: nothing is laid out, or read out, for nothing.
  say(element, words) {
    if (element.textContent !== words) element.textContent = words;
    if (element === this.trouble) element.hidden = !words;
  }

  // Buttons and links

  clicked(event) {
    const { target } = event;
    const button = target.closest("button");
    if (button?.dataset.speed) this.setSpeed(Number(button.dataset.speed));
    if (button?.dataset.do) this.actions()[button.dataset.do]();
    const link = target.closest("[data-sequence] a[href*='?moment=']");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!link || !isPlain) return;
    event.preventDefault();
    const sequence = Number(link.closest("[data-sequence]").dataset.sequence);
    const moment = this.recording.moments.find((one) => one.sequence === sequence);
    this.jump(this.recording.momentPlace(moment), true);
  }

  actions() {
    return {
      play: () => this.play(),
      back: () => this.move(-STEP_MS),
      forward: () => this.move(STEP_MS),
      previous: () => this.stepMoment(-1),
      next: () => this.stepMoment(1),
      copy: () => this.copyLink(),
    };
  }

  get link() {
    const address = new URL(this.dataset.address, location.href);
    const { ms, sequence } = this.at;
    const isMoment = this.recording.msOf.has(sequence);
    address.searchParams.set(isMoment ? "moment" : "at", isMoment ? sequence : (ms / 1000).toFixed(3));
    return address.href;
  }

  async copyLink() {
    const line = this.querySelector(".replay-link");
    try {
      await navigator.clipboard.writeText(this.link);
      line.hidden = true;
      this.say(this.announcer, text("replay_copied"));
      const button = this.querySelector("[data-do=copy]");
      button.dataset.done = text("replay_copied");
      setTimeout(() => delete button.dataset.done, 2000);
    } catch {
      // Browsers keep the clipboard from sites without https: then it is there to be selected.
      line.hidden = false;
      const field = line.querySelector("input");
      field.value = this.link;
      field.select();
    }
  }
}
