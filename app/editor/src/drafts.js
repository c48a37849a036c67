// Nothing typed is ever lost: this browser's storage first, then the server, with revisions.
//
// States: saved, edited, saving, offline, signed_out, conflict, not_kept.
import { Offline, SignedOut, request } from "./requests.js";

const STORE_AFTER_MS = 200;
const SAVE_AFTER_MS = 700;
const RETRY_MS = 4000;
const KEEPALIVE_LIMIT_BYTES = 60000; // browsers refuse more than 64 KiB after a page is gone

export class DraftStore extends EventTarget {
  constructor({ url, key, text, revision, isSaved, saveAfterMs = SAVE_AFTER_MS }) {
    super();
    this.url = url;
    this.saveAfterMs = saveAfterMs;
    this.storageKey = `gauntlet:draft:${key}`;
    this.text = text; // what is in the editor
    // What the server has at `revision`; null if the page came with a text that was refused.
    this.savedText = isSaved ? text : null;
    this.revision = revision;
    this.state = "saved";
    addEventListener("online", () => this.save());
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("focus", () => this.look());
  }

  // What an earlier page in this browser could not save, if anything.
  recover() {
    if (this.isDirty) {
      this.edit(this.text);
      return;
    }
    const kept = this.readStored();
    if (!kept || kept.text === this.savedText) {
      this.forget();
      return;
    }
    if (kept.base === this.revision) {
      this.emit("recovered", { text: kept.text });
      this.edit(kept.text);
    } else {
      this.revise({ mine: kept.text, theirs: this.savedText, revision: this.revision });
    }
  }

  edit(text) {
    this.text = text;
    clearTimeout(this.storing);
    this.storing = setTimeout(() => this.store(), STORE_AFTER_MS);
    if (this.state === "conflict") return;
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), this.saveAfterMs);
    if (this.state === "saved" && text !== this.savedText) this.become("edited");
  }

  get isDirty() {
    return this.text !== this.savedText;
  }

  async save() {
    clearTimeout(this.saving);
    if (this.state === "conflict" || this.busy) return;
    if (!this.isDirty) {
      this.settle();
      return;
    }
    this.busy = true;
    const { text, revision } = this;
    this.become("saving");
    try {
      const body = JSON.stringify({ text, base_revision: revision });
      const response = await request(this.url, { method: "PUT", body });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        this.revision = answer.revision;
        this.savedText = text;
        this.settle();
      } else if (response.status === 409 && answer.text === this.text) {
        // Another way was quicker: what was submitted is saved with it.
        this.revision = answer.revision;
        this.savedText = answer.text;
        this.settle();
      } else if (response.status === 409) {
        this.store();
        this.revise({ mine: this.text, theirs: answer.text, revision: answer.revision });
      } else if (response.status < 500) {
        this.store();
        this.become("not_kept", { reason: answer.error ?? response.status });
      } else {
        this.retryLater("offline");
      }
    } catch (error) {
      if (error instanceof SignedOut) this.retryLater("signed_out");
      else if (error instanceof Offline) this.retryLater("offline");
      else throw error;
    } finally {
      this.busy = false;
    }
  }

  settle() {
    if (this.isDirty) {
      this.become("edited");
      this.saving = setTimeout(() => this.save(), this.saveAfterMs);
    } else {
      this.forget();
      this.become("saved");
    }
  }

  retryLater(state) {
    this.store();
    this.become(state);
    this.saving = setTimeout(() => this.save(), RETRY_MS);
  }

  // The server has something newer than what this text was written on.
  revise(conflict) {
    this.conflict = conflict;
    this.become("conflict");
    this.emit("conflict", conflict);
  }

  // The person has chosen: `text` goes on top of what the server has.
  resolve(text) {
    this.savedText = this.conflict.theirs;
    this.revision = this.conflict.revision;
    this.conflict = null;
    this.text = text;
    this.become("edited");
    this.store();
    return this.save();
  }

  // Back at this tab: another one may have gone on.
  async look() {
    if (document.hidden) return;
    if (this.isDirty || this.state === "conflict") {
      this.save();
      return;
    }
    try {
      const response = await request(this.url);
      if (!response.ok) return;
      const newer = await response.json();
      if (newer.revision <= this.revision || this.isDirty || this.busy) return;
      this.revision = newer.revision;
      this.savedText = newer.text;
      this.text = newer.text;
      this.emit("updated", { text: newer.text });
    } catch (error) {
      if (!(error instanceof Offline || error instanceof SignedOut)) throw error;
    }
  }

  leave() {
    if (!this.isDirty) return;
    this.store();
    if (this.state === "conflict") return;
    const body = JSON.stringify({ text: this.text, base_revision: this.revision });
    if (body.length < KEEPALIVE_LIMIT_BYTES) {
      request(this.url, { method: "POST", body, keepalive: true }).catch(() => {});
    }
  }

  store() {
    clearTimeout(this.storing);
    if (!this.isDirty && this.state !== "conflict") return;
    const base = this.conflict ? -1 : this.revision; // -1: written on no revision that still is
    try {
      localStorage.setItem(this.storageKey, JSON.stringify({ text: this.text, base }));
    } catch {
      // Storage is full or forbidden: the server is still there.
    }
  }

  readStored() {
    try {
      return JSON.parse(localStorage.getItem(this.storageKey));
    } catch {
      return null;
    }
  }

  forget() {
    clearTimeout(this.storing);
    try {
      localStorage.removeItem(this.storageKey);
    } catch {
      // Forbidden storage has nothing to forget.
    }
  }

  become(state, details = {}) {
    this.state = state;
    this.emit("state", { state, ...details });
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
