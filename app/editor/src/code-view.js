// Code to read: one text, or two side by side.
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { base } from "./code.js";

const readOnly = (language) => [
  base(language),
  lineNumbers(),
  EditorState.readOnly.of(true),
  EditorView.lineWrapping,
];

export class CodeView extends HTMLElement {
  connectedCallback() {
    const doc = this.querySelector("pre").textContent;
    this.replaceChildren();
    new EditorView({ doc, extensions: readOnly(this.dataset.language), parent: this });
  }
}

export class CodeDiff extends HTMLElement {
  connectedCallback() {
    const columns = this.querySelector(".diff-columns");
    const [left, right] = [...columns.querySelectorAll("pre")].map((pre) => pre.textContent);
    const body = document.createElement("div");
    body.className = "diff-body";
    columns.replaceWith(body);
    mergeView(body, left, right, { language: this.dataset.language });
  }
}

// Two texts side by side; the right one can be edited if asked for.
export function mergeView(parent, left, right, { language, editable = [], revert = false }) {
  const wrapped = [base(language), lineNumbers(), EditorView.lineWrapping];
  return new MergeView({
    parent,
    a: { doc: left, extensions: readOnly(language) },
    b: { doc: right, extensions: editable.length ? [wrapped, editable] : readOnly(language) },
    revertControls: revert ? "a-to-b" : undefined,
    highlightChanges: true,
    gutter: true,
    collapseUnchanged: { margin: 4, minSize: 8 },
  });
}
