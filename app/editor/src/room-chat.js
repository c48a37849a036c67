// Chat beside the round, or open between rounds: messages are moments of the timeline, and arrive as
// the others do. What is typed and not sent outlives the change of the page.
import { Offline, SignedOut, request } from "./requests.js";
import { text } from "./texts.js";

export class RoomChat extends HTMLElement {
  connectedCallback() {
    this.opener = document.querySelector("[data-chat-opener]");
    this.panel = this.querySelector(".chat-panel");
    this.log = this.querySelector(".chat-log");
    this.form = this.querySelector("form");
    this.field = this.form?.querySelector("textarea"); // who only watches has none
    this.trouble = this.querySelector(".chat-trouble");
    this.unread = 0;
    this.stays = "stays" in this.dataset; // open for good, with nothing to open it by
    if (!this.stays) {
      this.opener.hidden = false;
      this.opener.addEventListener("click", () => this.show(this.panel.hidden));
      this.querySelector("[data-chat-closes]").addEventListener("click", () => this.show(false));
    }
    this.restoreTyped();
    this.log.scrollTop = this.log.scrollHeight;
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.stays) this.show(false);
      if (event.key === "Enter" && this.field && event.target === this.field && !event.shiftKey) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
    this.form?.addEventListener("submit", (event) => this.send(event));
    document.body.addEventListener("interview-moment", ({ detail }) => {
      if (detail.kind === "chat") this.add(detail);
    });
  }

  restoreTyped() {
    if (!this.field) return;
    const key = `chat ${this.form.action}`;
    this.field.value ||= sessionStorage.getItem(key) ?? "";
    addEventListener("pagehide", () => sessionStorage.setItem(key, this.field.value));
  }

  show(open) {
    this.panel.hidden = !open;
    this.opener.setAttribute("aria-expanded", String(open));
    if (open) {
      this.count(0);
      this.log.scrollTop = this.log.scrollHeight;
      (this.field ?? this.log).focus();
    } else {
      this.opener.focus();
    }
  }

  count(unread) {
    this.unread = unread;
    this.opener.querySelector(".chat-count").textContent = unread ? ` (${unread})` : "";
  }

  add({ author, at_ms, payload }) {
    const item = document.createElement("li");
    item.className = author === this.dataset.me ? "chat-line own" : "chat-line";
    const head = document.createElement("span");
    head.className = "chat-author";
    const when = document.createElement("time");
    when.dateTime = new Date(at_ms).toISOString();
    when.dataset.local = "time";
    when.textContent = when.dateTime;
    head.append(author ?? "", " ", when);
    const words = document.createElement("span");
    words.className = "chat-words";
    words.textContent = payload.text;
    item.append(head, words);
    this.log.append(item);
    this.log.scrollTop = this.log.scrollHeight;
    if (this.panel.hidden && author !== this.dataset.me) {
      this.count(this.unread + 1);
      // A closed log announces nothing by itself.
      this.querySelector(".chat-announcer").textContent = `${author}: ${payload.text}`;
    }
  }

  async send(event) {
    event.preventDefault();
    const words = this.field.value.trim();
    if (!words || this.isSending) return;
    this.isSending = true;
    try {
      const body = new FormData(this.form);
      const response = await request(this.form.action, { method: "POST", body });
      if (response.ok) this.field.value = "";
      const answer = response.ok ? {} : await response.json().catch(() => ({}));
      this.say(response.ok ? "" : (answer.error ?? text("chat_failed")));
    } catch (error) {
      if (!(error instanceof Offline || error instanceof SignedOut)) throw error;
      this.say(text("chat_failed"));
    } finally {
      this.isSending = false;
    }
  }

  say(message) {
    this.trouble.textContent = message;
    this.trouble.hidden = !message;
  }
}
