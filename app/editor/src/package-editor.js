// The editor of one file of a package. For problem.yaml it completes, explains and complains.
import { EditorView } from "@codemirror/view";
import { CodeEditor } from "./code-editor.js";
import { schemaYaml } from "./schema-yaml.js";

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
    if (language === "text") return EditorView.lineWrapping; // prose, in lines as long as one likes
    if (!lintUrl) return [];
    const schema = JSON.parse(document.getElementById("schema").textContent);
    return schemaYaml({ schema, lintUrl });
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
