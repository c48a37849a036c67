// A submission, live. The socket replays every event after the last one on the page, then follows;
// whatever comes twice is dropped by its number. When it ends, the verdict is fetched.
import { Offline, SignedOut, request } from "./requests.js";
import { enrich } from "./rich.js";
import { text } from "./texts.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15000;
const NOT_SIGNED_IN = 4401;
const NOT_FOUND = 4404;
const FINISHED = ["done", "cancelled"];

export class LiveSubmission extends HTMLElement {
  connectedCallback() {
    this.timeline = this.querySelector(".timeline");
    this.slot_ = this.querySelector(".verdict-slot");
    this.place = this.querySelector(".queue-place");
    this.connection = this.querySelector(".connection");
    this.cancelForm = this.querySelector(".cancel-form");
    this.wait_ms = FIRST_WAIT_MS;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.cancelForm.addEventListener("submit", (event) => this.cancel(event), { signal });
    // A laptop that wakes or a cable that is back should not sit out the wait.
    const hurry = () => !document.hidden && this.retry && this.connect();
    addEventListener("online", hurry, { signal });
    document.addEventListener("visibilitychange", hurry, { signal });
    this.showProgress();
    if (!FINISHED.includes(this.dataset.status)) this.connect();
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearTimeout(this.retry);
    this.retry = null;
    this.socket?.close();
  }

  get lastSequence() {
    return Number(this.timeline.lastElementChild?.dataset.sequence ?? 0);
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = null;
    const address = new URL(`/ws/submissions/${this.dataset.id}/`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("after", this.lastSequence);
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.connection.hidden = true;
    });
    socket.addEventListener("message", (message) => this.take(JSON.parse(message.data)));
    socket.addEventListener("close", (event) => {
      if (socket === this.socket) this.closed(event);
    });
  }

  closed(event) {
    if (!this.isConnected || FINISHED.includes(this.dataset.status)) return;
    const final = { [NOT_SIGNED_IN]: "watch_signed_out", [NOT_FOUND]: "watch_gone" }[event.code];
    this.say(text(final ?? "reconnecting"));
    if (final) return;
    this.retry = setTimeout(() => this.connect(), this.wait_ms * (0.5 + Math.random() / 2));
    this.wait_ms = Math.min(LONGEST_WAIT_MS, 2 * this.wait_ms);
  }

  take(message) {
    this.wait_ms = FIRST_WAIT_MS;
    if (message.type === "event") this.addEvent(message);
    if (message.type === "queue") this.showPlace(message.place);
    if (message.type === "end") this.end(message);
  }

  addEvent({ sequence, kind, html }) {
    if (sequence <= this.lastSequence) return;
    this.timeline.insertAdjacentHTML("beforeend", html);
    this.timeline.scrollTop = this.timeline.scrollHeight;
    if (kind !== "queued" && kind !== "requeued") this.showPlace(0);
    if (kind === "rejudged") this.begin();
    this.showProgress();
  }

  showPlace(place) {
    this.place.hidden = !place;
    this.place.textContent = place ? text("queue", { place }) : "";
  }

  showProgress() {
    const finished = [...this.timeline.querySelectorAll("[data-kind=case_finished]")].at(-1);
    const share = finished ? finished.dataset.index / finished.dataset.total : 0;
    this.querySelector(".progress-bar").style.inlineSize = `${100 * share}%`;
  }

  begin() {
    this.dataset.status = "queued";
    this.setBusy(true);
    this.slot_.replaceChildren();
  }

  setBusy(busy) {
    this.cancelForm.hidden = !busy;
    this.querySelector(".progress-track").hidden = !busy;
    if (busy) this.querySelector(".timeline-box").open = true;
  }

  async end({ status }) {
    this.dataset.status = status;
    this.setBusy(false);
    this.showPlace(0);
    this.say(text("verdict_loading"));
    await this.fetchVerdict();
    this.dispatchEvent(new CustomEvent("submission-changed", { bubbles: true }));
  }

  async fetchVerdict() {
    for (let wait_ms = FIRST_WAIT_MS; this.isConnected; wait_ms = Math.min(2 * wait_ms, LONGEST_WAIT_MS)) {
      try {
        const response = await request(this.dataset.verdictUrl);
        if (response.ok) {
          this.slot_.innerHTML = await response.text();
          enrich(this.slot_);
          this.say("");
          this.announce();
          return;
        }
      } catch (error) {
        if (error instanceof SignedOut) {
          this.say(text("watch_signed_out"));
          return;
        }
        if (!(error instanceof Offline)) throw error;
      }
      this.say(text("reconnecting"));
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }

  // A reader of screens hears the verdict and its sentence, and not the whole drawing.
  announce() {
    const parts = this.slot_.querySelectorAll(".banner h2, .banner h2 + p");
    const words = [...parts].map((part) => part.textContent.trim().replace(/\s+/g, " "));
    this.querySelector(".announcer").textContent = words.join(": ");
  }

  async cancel(event) {
    event.preventDefault();
    try {
      const response = await request(this.cancelForm.action, { method: "POST", body: new FormData(this.cancelForm) });
      if (!response.ok) this.say(text("cancel_failed"));
    } catch {
      this.say(text("cancel_failed"));
    }
  }

  say(message) {
    this.connection.textContent = message;
    this.connection.hidden = !message;
  }
}
