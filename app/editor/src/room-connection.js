// The shared text of a round: a Yjs document, kept in step with the server's.
//
// A burst of keystrokes and the cursor after it go as one message, and the next one only when the
// server has put it on the timeline. What was not acknowledged is kept in this browser, and goes
// again after a reconnection: the server says how far it has everybody's edits.
//
// States, as of a draft: saved, edited, saving, offline, signed_out, not_kept.
import * as Y from "yjs";
import { text } from "./texts.js";

const BURST_MS = 50;
const STORE_AFTER_MS = 200;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const PATIENCE_MS = 20000; // for an acknowledgement, before the connection counts as dead
const SAVE_LIMIT_MS = 3000;
const FORGET_AFTER_MS = 40000; // the server says every 15 s who is still there
const SERVER = Symbol("the server");
const OVER = 4410;
const FINAL = {
  4400: "room_broken",
  4401: "watch_signed_out",
  4403: "room_read_only",
  4404: "interview_gone",
  4413: "room_too_large",
};

export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

export function fromBase64(coded) {
  return Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
}

export class RoomConnection extends EventTarget {
  constructor({ address, key }) {
    super();
    this.address = address;
    this.storageKey = `gauntlet:room:${key}`;
    this.doc = new Y.Doc();
    this.text = this.doc.getText("text");
    this.people = new Map(); // id -> { name, role, cursor, heardAt }
    this.state = "saved";
    this.unsent = []; // updates of this page that are in no message yet
    this.sent = null; // the message that waits for its acknowledgement
    this.number = 0;
    this.cursor = null;
    this.wait_ms = FIRST_WAIT_MS;
    this.waiters = [];
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const kept = this.readStored();
    if (kept) {
      Y.applyUpdate(this.doc, kept, SERVER);
      this.isBehind = true;
    }
    this.doc.on("update", (update, origin) => {
      if (origin !== SERVER) this.wrote(update);
    });
    addEventListener("pagehide", () => this.store(), { signal });
    const hurry = () => !document.hidden && this.retry && this.connect();
    addEventListener("online", hurry, { signal });
    document.addEventListener("visibilitychange", hurry, { signal });
    this.forgetting = setInterval(() => this.forgetTheSilent(), 5000);
    this.connect();
  }

  close() {
    this.leaving.abort();
    for (const timer of [this.retry, this.sending, this.storing]) clearTimeout(timer);
    clearInterval(this.forgetting);
    this.retry = null;
    this.isOver = true;
    this.socket?.close();
  }

  // Whether something here is not yet acknowledged.
  get isDirty() {
    return this.isBehind || this.unsent.length > 0 || Boolean(this.sent?.update);
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = null;
    const address = new URL(this.address, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    this.isReady = false;
    socket.addEventListener("open", () => {
      if (socket !== this.socket) return;
      this.say({ type: "hello", state: toBase64(Y.encodeStateVector(this.doc)) });
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.socket) this.take(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.socket) this.lost(code);
    });
  }

  lost(code) {
    this.isReady = false;
    clearTimeout(this.patience);
    this.store();
    if (this.isOver) return;
    this.people.clear();
    this.emit("people");
    if (code === OVER || FINAL[code]) {
      // The page of what comes next is on its way, or nothing more can be done on this one.
      this.isOver = true;
      if (FINAL[code]) this.become("not_kept", { reason: text(FINAL[code]) });
      this.answerWaiters();
      return;
    }
    this.become("offline");
    this.retry = setTimeout(() => this.connect(), this.wait_ms * (0.5 + Math.random() / 2));
    this.wait_ms = Math.min(LONGEST_WAIT_MS, 2 * this.wait_ms);
  }

  take(message) {
    this.wait_ms = FIRST_WAIT_MS;
    if (message.type === "text") this.welcome(message);
    else if (message.type === "kept" && message.number === this.sent?.number) this.kept();
    else if (message.type === "written") this.written(message);
  }

  welcome({ update, state }) {
    Y.applyUpdate(this.doc, fromBase64(update), SERVER);
    this.isReady = true;
    // Whatever was on its way when the connection broke: the server may have it, or not.
    if (this.isDirty) this.unsent = [Y.encodeStateAsUpdate(this.doc, fromBase64(state))];
    this.sent = null;
    this.isBehind = false;
    this.emit("welcome");
    if (this.unsent.length || this.cursor) this.send();
    else this.settle();
  }

  kept() {
    clearTimeout(this.patience);
    this.sent = null;
    if (this.unsent.length || this.cursorMoved) this.sendSoon();
    this.settle();
  }

  written({ update, cursors }) {
    if (update) Y.applyUpdate(this.doc, fromBase64(update), SERVER);
    for (const [person, shown] of Object.entries(cursors)) {
      if (shown === null) this.people.delete(person);
      else this.people.set(person, { ...shown, heardAt: performance.now() });
    }
    if (Object.keys(cursors).length) this.emit("people");
  }

  wrote(update) {
    this.unsent.push(update);
    clearTimeout(this.storing);
    this.storing = setTimeout(() => this.store(), STORE_AFTER_MS);
    if (this.state === "saved") this.become("edited");
    this.sendSoon();
  }

  // Where the selection is now; null if the editor has no focus.
  moved(cursor) {
    if (JSON.stringify(cursor) === JSON.stringify(this.cursor)) return;
    this.cursor = cursor;
    this.cursorMoved = true;
    this.sendSoon();
  }

  sendSoon() {
    this.sending ??= setTimeout(() => this.send(), BURST_MS);
  }

  send() {
    clearTimeout(this.sending);
    this.sending = null;
    if (!this.isReady || this.sent) return;
    const update = this.unsent.length ? Y.mergeUpdates(this.unsent) : null;
    this.unsent = [];
    this.number += 1;
    this.sent = { number: this.number, update };
    this.cursorMoved = false;
    if (update) this.become("saving");
    this.say({
      type: "write",
      number: this.number,
      update: update && toBase64(update),
      cursor: this.cursor,
    });
    // A cable that was pulled tells nobody.
    this.patience = setTimeout(() => this.drop(), PATIENCE_MS);
  }

  drop() {
    const dead = this.socket;
    this.socket = null;
    dead.close();
    this.lost(0);
  }

  // What the server may not have, for a form that is sent past this connection; base64, or nothing.
  pending() {
    if (this.isBehind) return toBase64(Y.encodeStateAsUpdate(this.doc));
    const updates = [this.sent?.update, ...this.unsent].filter(Boolean);
    return updates.length ? toBase64(Y.mergeUpdates(updates)) : "";
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  settle() {
    if (this.isDirty) return;
    this.store();
    this.become("saved");
    this.answerWaiters();
  }

  answerWaiters() {
    for (const answer of this.waiters.splice(0)) answer();
  }

  // Resolves once everything here is acknowledged, or nobody answers.
  save() {
    if (!this.isDirty || this.isOver) return Promise.resolve();
    this.send();
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      setTimeout(resolve, SAVE_LIMIT_MS);
    });
  }

  forgetTheSilent() {
    const before = performance.now() - FORGET_AFTER_MS;
    const silent = [...this.people].filter(([, { heardAt }]) => heardAt < before);
    for (const [person] of silent) this.people.delete(person);
    if (silent.length) this.emit("people");
  }

  // What is not acknowledged outlives this page.
  store() {
    clearTimeout(this.storing);
    try {
      if (this.isDirty) {
        const whole = toBase64(Y.encodeStateAsUpdate(this.doc));
        localStorage.setItem(this.storageKey, whole);
      } else {
        localStorage.removeItem(this.storageKey);
      }
    } catch {
      // Storage is full or forbidden: the server is still there.
    }
  }

  readStored() {
    try {
      const kept = localStorage.getItem(this.storageKey);
      return kept && fromBase64(kept);
    } catch {
      return null;
    }
  }

  become(state, details = {}) {
    if (this.state === state && state !== "not_kept") return;
    this.state = state;
    this.emit("state", { state, ...details });
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // What a draft does besides: the page treats both alike.
  recover() {}

  edit() {}
}
