// Other people's cursors and selections in the shared text. Classes and no inline styles, which
// the page's policy forbids; hence not y-codemirror's own.
import { RangeSet, StateEffect } from "@codemirror/state";
import { Decoration, ViewPlugin, WidgetType } from "@codemirror/view";
import * as Y from "yjs";
import { fromBase64, toBase64 } from "./room-connection.js";

const changed = StateEffect.define();

export function remoteCursors(connection) {
  return ViewPlugin.define((view) => new RemoteCursors(view, connection), {
    decorations: (plugin) => plugin.decorations,
  });
}

class RemoteCursors {
  constructor(view, connection) {
    this.connection = connection;
    this.decorations = RangeSet.empty;
    this.redraw = () => view.dispatch({ effects: changed.of(null) });
    connection.addEventListener("people", this.redraw);
  }

  destroy() {
    this.connection.removeEventListener("people", this.redraw);
  }

  update(update) {
    const isNew = update.transactions.some((one) => one.effects.some((effect) => effect.is(changed)));
    if (isNew) {
      this.decorations = this.draw(update.state.doc.length);
    } else if (update.docChanged) {
      this.decorations = this.decorations.map(update.changes);
    }
    if (update.selectionSet || update.focusChanged || update.docChanged) this.tell(update);
  }

  // The text has this edit already: the plugin that writes it comes before this one.
  tell({ view, state }) {
    const { anchor, head } = state.selection.main;
    this.connection.moved(
      view.hasFocus ? { anchor: this.relative(anchor), head: this.relative(head) } : null,
    );
  }

  relative(offset) {
    const position = Y.createRelativePositionFromTypeIndex(this.connection.text, offset);
    return toBase64(Y.encodeRelativePosition(position));
  }

  // The offset of somebody's cursor; null if it is no place in this text.
  absolute(coded) {
    const { doc, text } = this.connection;
    try {
      const relative = Y.decodeRelativePosition(fromBase64(coded));
      const position = Y.createAbsolutePositionFromRelativePosition(relative, doc);
      return position?.type === text ? position.index : null;
    } catch {
      return null;
    }
  }

  draw(length) {
    const ranges = [];
    for (const { name, role, cursor } of this.connection.people.values()) {
      const [anchor, head] = cursor ? [cursor.anchor, cursor.head].map((one) => this.absolute(one)) : [];
      if (anchor == null || head == null || Math.max(anchor, head) > length) continue;
      const [from, to] = [Math.min(anchor, head), Math.max(anchor, head)];
      if (from < to) ranges.push(Decoration.mark({ class: `cm-theirs ${role}` }).range(from, to));
      const widget = new Caret(name, role);
      ranges.push(Decoration.widget({ widget, side: head === to ? -1 : 1 }).range(head));
    }
    return Decoration.set(ranges, true);
  }
}

export class Caret extends WidgetType {
  constructor(name, role) {
    super();
    this.name = name;
    this.role = role;
  }

  eq(other) {
    return other.name === this.name && other.role === this.role;
  }

  toDOM() {
    const caret = document.createElement("span");
    caret.className = `cm-their-caret ${this.role}`;
    caret.setAttribute("aria-hidden", "true");
    const label = document.createElement("span");
    label.textContent = this.name;
    caret.append(label);
    return caret;
  }

  ignoreEvent() {
    return true;
  }
}
