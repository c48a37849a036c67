// The editor round the page's plain textarea, which stays the form's own field.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, Prec } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { base } from "./code.js";
import { DraftStore } from "./drafts.js";
import { schemaYaml } from "./schema-yaml.js";
import { text } from "./texts.js";

// Comforts of typing, shared with the editable side of a merge.
export function typing() {
  return [
    history(),
    drawSelection(),
    indentUnit.of("    "),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    EditorState.allowMultipleSelections.of(true),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
  ];
}

export class CodeEditor extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    this.area.hidden = true;
    this.view = new EditorView({
      doc: this.area.value,
      parent: this,
      extensions: [
        Prec.highest(keymap.of(this.sendingKeys())),
        base(this.dataset.language),
        lineNumbers(),
        highlightActiveLineGutter(),
        this.fields(),
        typing(),
        this.furtherExtensions(),
        EditorView.contentAttributes.of({ "aria-label": text("editor") }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.changed();
        }),
      ],
    });
    this.draft = new DraftStore({
      url: this.dataset.draftUrl,
      key: this.dataset.key,
      text: this.text,
      revision: Number(this.dataset.revision),
      isSaved: !("unsaved" in this.dataset),
    });
    this.draft.addEventListener("recovered", (event) => this.replace(event.detail.text));
    this.draft.addEventListener("updated", (event) => this.replace(event.detail.text));
  }

  // What a design may hold, and what the server says against it while it is typed.
  fields() {
    const { schema, checkUrl } = this.dataset;
    if (!schema) return [];
    const described = JSON.parse(document.getElementById(schema).textContent);
    return schemaYaml({ schema: described, lintUrl: checkUrl });
  }

  focus() {
    this.view.focus();
  }

  get text() {
    return this.view.state.doc.toString();
  }

  // One transaction, so that Ctrl+Z brings the former text back.
  replace(newText) {
    if (newText === this.text) return;
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: newText },
      selection: { anchor: Math.min(this.view.state.selection.main.anchor, newText.length) },
      userEvent: "input.replace",
    });
  }

  // What another editor has besides.
  furtherExtensions() {
    return [];
  }

  changed() {
    this.area.value = this.text;
    this.draft?.edit(this.text);
  }

  sendingKeys() {
    const press = (kind) => () => {
      this.closest("form").querySelector(`button[name=kind][value=${kind}]`).click();
      return true;
    };
    return [
      { key: "Mod-Enter", run: press("run"), preventDefault: true },
      { key: "Mod-Shift-Enter", run: press("submit"), preventDefault: true },
    ];
  }
}
