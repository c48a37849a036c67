// YAML with a JSON Schema behind it: completion, help on hover, and the server's complaints.
import { autocompletion } from "@codemirror/autocomplete";
import { linter, lintGutter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { hoverTooltip } from "@codemirror/view";
import { indentUnit } from "@codemirror/language";
import { Offline, SignedOut, request } from "./requests.js";
import { text } from "./texts.js";
import { Schema, completionAt, facts, keyAt } from "./yaml-schema.js";

const LINT_AFTER_MS = 600;

// An extension for an editor whose language is YAML.
//
// schema: a JSON Schema, as pydantic exports it.
// lintUrl: takes a POST of {"text": ...} and answers a list of
//   {"line": 1, "column": 1, "end": 8 or null, "message": "..."}: line and columns from 1, `end` the
//   column after the last marked character on that line; null marks the word. Other keys are left
//   alone, and a line of null means the whole text.
export function schemaYaml({ schema, lintUrl }) {
  const known = new Schema(schema);
  // One object for good: CodeMirror knows a source again by its identity.
  const sources = [{ autocomplete: (context) => complete(known, context) }];
  return [
    indentUnit.of("  "),
    EditorState.languageData.of(() => sources),
    autocompletion(),
    hoverTooltip((view, position) => help(known, view, position)),
    lintUrl ? serverLinter(lintUrl) : [],
  ];
}

function complete(known, context) {
  const doc = context.state.doc.toString();
  const found = completionAt(doc, context.pos);
  if (!found || (!found.word && !context.explicit && found.isKey)) return null;
  const options = found.isKey ? keyOptions(known, found) : valueOptions(known, found);
  if (!options.length) return null;
  return { from: found.from, options, validFor: /^[\w.+-]*$/ };
}

function keyOptions(known, found) {
  const schemas = known.at(found.path, found.probed, found.mapping);
  const keys = known.keys(schemas).filter(({ key }) => !found.written.includes(key));
  // In a list of plain words the place of a key is that of a value.
  return keys.length || found.mapping.getChildren("Pair").length > 1
    ? keys.map(keyOption)
    : valueOptions(known, found);
}

function keyOption({ key, isRequired, schemas }) {
  const inside = schemas.find((schema) => ["object", "array"].includes(schema.type));
  return {
    label: key,
    type: "property",
    detail: isRequired ? text("schema_required") : text("schema_optional"),
    boost: isRequired ? 1 : 0,
    info: () => describe(key, schemas),
    apply: (view, completion, from, to) => {
      const follows = /^[ \t]*:/.test(view.state.sliceDoc(to, to + 20));
      const insert = follows ? key : `${key}:${inside ? "" : " "}`;
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + insert.length },
        userEvent: "input.complete",
      });
    },
  };
}

function valueOptions(known, { path, probed }) {
  return known.values(known.at(path, probed)).map((word) => ({ label: word, type: "enum" }));
}

function help(known, view, position) {
  const doc = view.state.doc.toString();
  const key = keyAt(doc, position);
  if (!key) return null;
  const schemas = known.at(key.path, doc);
  if (!schemas.length) return null;
  return {
    pos: key.from,
    end: key.to,
    above: true,
    create: () => ({ dom: describe(key.path.at(-1).key, schemas) }),
  };
}

// A key's name, what it is for, and what it may hold.
function describe(key, schemas) {
  const box = document.createElement("div");
  box.className = "schema-help";
  const { types, bounds, description } = facts(schemas);
  const line = (className, content) => {
    if (!content) return;
    const element = document.createElement("p");
    element.className = className;
    element.textContent = content;
    box.append(element);
  };
  line("schema-key", key);
  line("schema-description", description?.split(/\n\s*\n/)[0].replace(/\s+/g, " "));
  const words = new Schema({}).values(schemas);
  const kind = types.map((type) => text(`schema_type_${type}`)).join(text("schema_or"));
  line("schema-facts", words.length ? words.join(", ") : [kind, ...boundsInWords(bounds)].join("; "));
  return box;
}

function boundsInWords(bounds) {
  const { default: standard, pattern, ...numbers } = bounds;
  const said = Object.entries(numbers).map(([name, n]) => text(`schema_${name}`, { n }));
  if (pattern) said.push(text("schema_pattern", { pattern }));
  if (standard !== undefined) {
    said.push(text("schema_default", { value: JSON.stringify(standard) }));
  }
  return said;
}

// The complaints alone, for a file in any language.
export function serverLinter(lintUrl) {
  const ask = async (view) => {
    const { doc } = view.state;
    const body = JSON.stringify({ text: doc.toString() });
    try {
      const response = await request(lintUrl, { method: "POST", body });
      if (!response.ok) return [];
      const complaints = await response.json();
      view.dom.dispatchEvent(new CustomEvent("complaints", { detail: complaints, bubbles: true }));
      return complaints.map((complaint) => diagnostic(doc, complaint));
    } catch (error) {
      // Not being able to ask is no fault of the text: the draft's own line says so.
      if (error instanceof Offline || error instanceof SignedOut) return [];
      throw error;
    }
  };
  return [linter(ask, { delay: LINT_AFTER_MS }), lintGutter()];
}

function diagnostic(doc, { line, column, end, message }) {
  const here = doc.line(Math.min(Math.max(line ?? 1, 1), doc.lines));
  // The server counts characters as people do, the editor in UTF-16 units.
  const offset = (n) => [...here.text].slice(0, n - 1).join("").length;
  const from = here.from + Math.min(offset(column ?? 1), here.length);
  const rest = doc.sliceString(from, here.to);
  const word = rest.match(/^(["'])(?:(?!\1).)*\1|^[^\s:,[\]{}]+/)?.[0].length ?? rest.length;
  const to = end ? Math.min(here.from + offset(end), here.to) : from + word;
  return { from, to: Math.max(from, to), severity: "error", message };
}
