// The editor of one file of a package: it complains, and completes and explains problem.yaml.
import { EditorView } from "@codemirror/view";
import { CodeEditor } from "./code-editor.js";
import { schemaYaml, serverLinter } from "./schema-yaml.js";

export class PackageEditor extends CodeEditor {
  connectedCallback() {
    super.connectedCallback();
    this.draft.addEventListener("state", ({ detail }) => {
      if (detail.state === "saved") this.emit("package-saved");
    });
    this.goToAnchor();
    addEventListener("hashchange", () => this.goToAnchor());
  }

  furtherExtensions() {
    const { lintUrl, language } = this.dataset;
    const schema = document.getElementById("schema");
    if (schema) return schemaYaml({ schema: JSON.parse(schema.textContent), lintUrl });
    // Prose has lines as long as one likes.
    return [serverLinter(lintUrl), language === "text" ? EditorView.lineWrapping : []];
  }

  sendingKeys() {
    return [{ key: "Mod-s", run: () => this.saveNow(), preventDefault: true }];
  }

  saveNow() {
    this.draft.save();
    return true;
  }

  changed() {
    super.changed();
    this.emit("package-typed");
  }

  // #L12, as the complaints' links have it.
  goToAnchor() {
    const number = Number(location.hash.match(/^#L(\d+)$/)?.[1]);
    if (!number) return;
    const { doc } = this.view.state;
    const line = doc.line(Math.min(number, doc.lines));
    this.view.dispatch({
      selection: { anchor: line.from },
      effects: EditorView.scrollIntoView(line.from, { y: "center" }),
    });
    this.view.focus();
  }

  emit(type) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true }));
  }
}
