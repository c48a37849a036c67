// What shows the text of a moment: code and notes in an editor to read, answers in their form.
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, lineNumbers } from "@codemirror/view";
import { fill, parse } from "./answer-form.js";
import { base } from "./code.js";
import { Caret } from "./remote-cursors.js";
import { changeBetween } from "./replay-text.js";

const caretMoved = StateEffect.define();

const carets = StateField.define({
  create: () => Decoration.none,
  update(shown, transaction) {
    const moved = transaction.effects.find((effect) => effect.is(caretMoved));
    return moved ? moved.value : shown.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

export class CodeAtMoment {
  constructor(parent) {
    this.parent = parent;
    this.text = null;
  }

  // `caret`: {from, to, name, role} of the last edit, or null.
  show(text, language, caret) {
    if (!this.view || language !== this.language) this.open(text, language);
    const effects = [];
    if (!sameCaret(caret, this.caret)) {
      effects.push(caretMoved.of(decorations(caret, text.length)));
      if (caret) {
        const place = Math.min(caret.to, text.length);
        effects.push(EditorView.scrollIntoView(place, { y: "nearest", yMargin: 48 }));
      }
    }
    const changes = text === this.text ? [] : changeBetween(this.text, text);
    if (text !== this.text || effects.length) this.view.dispatch({ changes, effects });
    this.text = text;
    this.caret = caret;
  }

  open(text, language) {
    this.view?.destroy();
    this.parent.replaceChildren();
    this.language = language;
    this.text = text;
    this.caret = null;
    this.view = new EditorView({
      doc: text,
      parent: this.parent,
      extensions: [
        base(language),
        lineNumbers(),
        carets,
        // What was typed is shown as it was, and counted as it was recorded.
        EditorState.lineSeparator.of("\n"),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          tabindex: "0",
          "aria-readonly": "true",
          "aria-label": this.parent.dataset.label,
        }),
      ],
    });
  }
}

function sameCaret(one, other) {
  if (!one || !other) return one === other;
  return one.from === other.from && one.to === other.to && one.name === other.name;
}

function decorations(caret, length) {
  if (!caret || caret.to > length) return Decoration.none;
  const { from, to, name, role } = caret;
  const ranges = [Decoration.widget({ widget: new Caret(name, role), side: 1 }).range(to)];
  if (from < to) ranges.unshift(Decoration.mark({ class: `cm-theirs ${role}` }).range(from, to));
  return Decoration.set(ranges, true);
}

export class FormAtMoment {
  constructor(parent) {
    this.parent = parent;
  }

  // `before` is the text before the last edit: what differs is marked as just answered.
  show(text, before, template) {
    if (template !== this.template) {
      this.parent.replaceChildren(template.content.cloneNode(true));
      this.template = template;
      this.text = null;
    }
    if (text === this.text && before === this.before) return;
    const [answers, former] = [parse(text), parse(before)];
    for (const field of this.parent.querySelectorAll("[data-field]")) {
      const answer = answers[field.dataset.field];
      if (field.dataset.kind === "span") fillSpan(field, answer);
      else fill(field, answer);
      const isNew = JSON.stringify(answer) !== JSON.stringify(former[field.dataset.field]);
      field.classList.toggle("just-answered", isNew);
    }
    this.text = text;
    this.before = before;
    this.parent.querySelector(".just-answered")?.scrollIntoView({ block: "nearest" });
  }
}

function fillSpan(field, number) {
  const shown = field.querySelector(".trace-answer");
  const span = number ? field.querySelector(`option[value="${CSS.escape(number)}"]`) : null;
  shown.textContent = span ? `${span.value}: ${span.label}` : shown.dataset.empty;
}
