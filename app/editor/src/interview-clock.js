// The clock of an interview: counts down to the server's deadlines, keeps what was typed when time
// is up, and brings the page that belongs to where the interview stands.
import { Offline, SignedOut, request } from "./requests.js";
import { ServerClock } from "./server-clock.js";
import { text } from "./texts.js";

const SYNC_MS = 30000;
const HURRIED_MS = 1000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15000;
const FINAL = { 4401: "watch_signed_out", 4404: "interview_gone" };
const ANNOUNCED_MIN = [10, 5, 1];
const OF_PEOPLE = ["joined", "left", "ready"];

export function written(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// Answers to follow-ups that are written and not sent: they count until the round is over.
function unsentAnswers() {
  return [...document.querySelectorAll("form[data-last-words]")].filter(isTouched);
}

async function sendAnswers() {
  await Promise.allSettled(
    unsentAnswers().map((form) => request(form.action, { method: "POST", body: new FormData(form) })),
  );
}

// Who finishes with an answer written has it sent first.
async function takeAnswersAlong(event) {
  const button = event.target.closest?.("button[data-takes-answers]");
  if (!button || !unsentAnswers().length) return;
  event.preventDefault();
  await sendAnswers();
  button.form.requestSubmit(button);
}

// Whether a form holds something that the server did not put there.
function isTouched(form) {
  return [...form.elements].some(
    (one) =>
      (one.type === "radio" || one.type === "checkbox"
        ? one.checked !== one.defaultChecked
        : "defaultValue" in one && one.type !== "hidden" && one.value !== one.defaultValue),
  );
}

export class InterviewClock extends HTMLElement {
  connectedCallback() {
    const known = JSON.parse(document.getElementById("clock").textContent);
    this.pageState = known.state;
    this.clock = new ServerClock(this.dataset.url, known);
    this.left = this.querySelector(".clock-left");
    this.total = this.querySelector(".clock-total");
    this.trouble = this.querySelector(".clock-trouble");
    this.announcer = this.querySelector(".clock-announcer");
    this.last = Number(this.dataset.after);
    this.wait_ms = FIRST_WAIT_MS;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.clock.addEventListener("known", () => this.learned(), { signal });
    for (const happened of ["focus", "online", "pageshow"]) {
      addEventListener(happened, () => this.sync(), { signal });
    }
    document.addEventListener("visibilitychange", () => document.hidden || this.sync(), { signal });
    document.addEventListener("click", (event) => takeAnswersAlong(event), { signal });
    this.tick();
    this.sync();
    this.connect();
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearTimeout(this.ticking);
    clearTimeout(this.syncing);
    clearTimeout(this.retry);
    this.socket?.close();
  }

  // What the page counts down to: null where nothing runs.
  get leftMs() {
    const { deadline_ms, break_ends_ms, left_ms } = this.clock.known;
    if (left_ms !== null) return left_ms;
    const until = deadline_ms ?? break_ends_ms;
    return until === null ? null : until - this.clock.now();
  }

  tick() {
    if (this.clock.hasJumped) this.sync();
    const left = this.leftMs;
    this.left.textContent = left === null ? "–" : written(left);
    const { later_ms, state } = this.clock.known;
    this.total.textContent = written((state === "break" ? 0 : Math.max(0, left ?? 0)) + later_ms);
    this.dataset.near = left !== null && left < 300000 && state !== "break" ? "yes" : "no";
    this.announce(left, state);
    if (left !== null && left <= 0 && this.clock.known.left_ms === null) this.timeUp();
    // Wake just after the shown second changes.
    const next = left === null ? 1000 : (((left % 1000) + 1000) % 1000) + 5;
    clearTimeout(this.ticking);
    this.ticking = setTimeout(() => this.tick(), next);
  }

  announce(left, state) {
    if (left === null || !state.startsWith("round")) return;
    const minutes = ANNOUNCED_MIN.find((one) => left <= one * 60000 && left > one * 60000 - 2000);
    if (minutes === undefined || minutes === this.announced) return;
    this.announced = minutes;
    this.announcer.textContent = text("minutes_left", { minutes });
  }

  // Time is up here: keep the last words, then wait for the server to say so too.
  timeUp() {
    if (this.isUp) return;
    this.isUp = true;
    if (this.pageState.startsWith("round")) {
      this.say(text("time_up"));
      const form = document.getElementById("code-form");
      const editor = form?.querySelector("code-editor, shared-editor, answer-form");
      editor?.draft?.save();
      sendAnswers();
      if (form) form.inert = true;
    }
    this.sync();
  }

  async sync() {
    clearTimeout(this.syncing);
    try {
      await this.clock.sync();
      if (!this.isUp) this.say("");
    } catch (error) {
      if (error instanceof SignedOut) this.say(text("watch_signed_out"));
      else if (error instanceof Offline) this.say(text("clock_offline"));
      else this.say(text("clock_offline"));
    } finally {
      clearTimeout(this.syncing);
      this.syncing = setTimeout(() => this.sync(), this.isUp ? HURRIED_MS : SYNC_MS);
    }
  }

  learned() {
    if (this.clock.known.state !== this.pageState) {
      this.turn();
      return;
    }
    if (this.isUp && (this.leftMs ?? 1) > 0) {
      // Minutes were added at the last moment.
      this.isUp = false;
      const form = document.getElementById("code-form");
      if (form) form.inert = false;
      this.say("");
    }
    this.tick();
  }

  // Another page is due. What is typed goes along first; a round that is over refuses it. Marks and
  // notes of an interviewer are in no draft: the page stays for them, and says what waits.
  async turn() {
    if (this.turning) return;
    const waits = this.querySelector(".clock-waits");
    if (waits && [...document.querySelectorAll("form[data-holds]")].some(isTouched)) {
      waits.hidden = false;
      return;
    }
    this.turning = true;
    const editor = document.querySelector(
      "#code-form :is(code-editor, shared-editor, answer-form)",
    );
    await editor?.draft?.save();
    location.reload();
  }

  connect() {
    clearTimeout(this.retry);
    const address = new URL(`/ws/interviews/${this.dataset.id}/`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("after", this.last);
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.wait_ms = FIRST_WAIT_MS;
    });
    socket.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => {
      if (socket !== this.socket || !this.isConnected) return;
      if (FINAL[code]) {
        this.say(text(FINAL[code]));
        return;
      }
      this.retry = setTimeout(() => this.connect(), this.wait_ms * (0.5 + Math.random() / 2));
      this.wait_ms = Math.min(LONGEST_WAIT_MS, 2 * this.wait_ms);
    });
  }

  take(message) {
    if (message.type === "moment") {
      if (message.sequence <= this.last) return;
      this.last = message.sequence;
      document.body.dispatchEvent(new CustomEvent("interview-moment", { detail: message }));
      if (OF_PEOPLE.includes(message.kind)) {
        document.body.dispatchEvent(new Event("interview-people"));
      }
    } else if (message.type === "clock") {
      this.sync();
    }
  }

  say(message) {
    this.trouble.textContent = message;
    this.trouble.hidden = !message;
  }
}
