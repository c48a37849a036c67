// The editor of a round: its text is the room's document, whether one person writes it or two.
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import { CodeEditor, typing } from "./code-editor.js";
import { remoteCursors } from "./remote-cursors.js";
import { RoomConnection } from "./room-connection.js";
import { text } from "./texts.js";

export class SharedEditor extends CodeEditor {
  connectedCallback() {
    this.shared = new Compartment();
    super.connectedCallback();
    // A form brings along what the room does not have yet, and no whole text that is older than it.
    this.area.removeAttribute("name");
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    document.addEventListener("submit", (event) => this.addPending(event), {
      capture: true,
      signal,
    });
  }

  // Another tab of the same person is no company.
  get isAlone() {
    return "alone" in this.dataset;
  }

  disconnectedCallback() {
    this.leaving.abort();
    this.draft.close();
    this.view.destroy();
  }

  openDraft() {
    const connection = new RoomConnection({
      address: this.dataset.address,
      key: this.dataset.key,
    });
    connection.addEventListener("welcome", () => this.join(connection), { once: true });
    if (!this.isAlone) connection.addEventListener("people", () => this.showPeople(connection));
    return connection;
  }

  // Undoing takes back one's own words only: the room's history and not the editor's.
  comforts() {
    return typing({ withHistory: false });
  }

  // Until the document is here, the text of the page is to read.
  furtherExtensions() {
    return this.shared.of(EditorState.readOnly.of(true));
  }

  join(connection) {
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: connection.text.toString() },
    });
    const undoManager = new Y.UndoManager(connection.text);
    const extensions = [
      yCollab(connection.text, null, { undoManager }),
      this.isAlone ? [] : remoteCursors(connection),
      keymap.of(yUndoManagerKeymap),
      EditorView.clipboardInputFilter.of((pasted) => pasted.replaceAll("\0", "")),
      EditorState.readOnly.of("readonly" in this.dataset),
    ];
    this.view.dispatch({ effects: this.shared.reconfigure(extensions) });
  }

  changed() {
    this.area.value = this.text;
  }

  showPeople(connection) {
    const names = new Set([...connection.people.values()].map(({ name }) => name));
    const shown = this.closest("form").querySelector(".room-people");
    const words = names.size ? text("room_people", { names: [...names].join(", ") }) : "";
    if (shown.textContent !== words) shown.textContent = words;
  }

  // Running, submitting, finishing, pausing, ending: the last words go along.
  addPending({ target, submitter }) {
    if (target !== this.closest("form") && !submitter?.hasAttribute("data-plain")) return;
    let field = target.querySelector("input[name=update]");
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "update";
      target.append(field);
    }
    field.value = this.draft.pending();
  }
}
