// One look and one set of languages for every place that shows code.
import { cpp } from "@codemirror/lang-cpp";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { highlightCode, tags } from "@lezer/highlight";
import { editorPhrases } from "./texts.js";

const languages = { python, cpp, yaml };

export function languageOf(name) {
  return languages[name]?.() ?? [];
}

// Colours are the theme's custom properties, so light and dark need no second style.
export const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.docString], color: "var(--code-comment)", fontStyle: "italic" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))],
    color: "var(--code-function)",
  },
  { tag: [tags.className, tags.typeName], color: "var(--code-type)" },
  // Keys of YAML; no other language here has this tag.
  { tag: tags.definition(tags.propertyName), color: "var(--code-function)" },
  { tag: [tags.meta, tags.processingInstruction], color: "var(--code-meta)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--ink)", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "0.875rem", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "0.5rem 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    color: "var(--muted)",
    border: "none",
    fontVariantNumeric: "tabular-nums",
  },
  ".cm-activeLine": { backgroundColor: "var(--code-line)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--code-selection)" },
  ".cm-matchingBracket": { backgroundColor: "var(--code-selection)", outline: "none" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-textfield": {
    backgroundColor: "var(--surface)",
    border: "1px solid var(--line)",
    color: "var(--ink)",
  },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--surface)", color: "var(--ink)" },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--diff-new) !important" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedLine, .cm-deletedChunk": {
    backgroundColor: "var(--diff-old) !important",
  },
  "&.cm-merge-a .cm-changedText, &.cm-merge-b .cm-changedText": {
    background: "none",
    textDecoration: "underline",
    textDecorationThickness: "2px",
    textUnderlineOffset: "3px",
  },
  ".cm-collapsedLines": {
    backgroundImage: "none",
    backgroundColor: "var(--raised)",
    color: "var(--muted)",
  },
});

// What every view of code has, editable or not.
export function base(language) {
  const nonce = document.querySelector("meta[name=csp-nonce]").content;
  return [
    EditorView.cspNonce.of(nonce),
    EditorState.phrases.of(editorPhrases()),
    EditorState.tabSize.of(4),
    look,
    syntaxHighlighting(highlighting),
    languageOf(language),
  ];
}

// Colours a <code> in running text, without an editor round it.
export function highlightElement(element, language) {
  if (!languages[language]) return;
  const lines = highlightLines(element.textContent, language);
  element.replaceChildren(...lines.flatMap((line, index) => (index ? ["\n", line] : [line])));
}

// A source as one coloured fragment a line.
export function highlightLines(source, language) {
  const lines = [document.createDocumentFragment()];
  const tree = languages[language]().language.parser.parse(source);
  const style = { style: (found) => classOf(found) };
  highlightCode(
    source,
    tree,
    style,
    (piece, classes) => {
      const span = document.createElement("span");
      span.textContent = piece;
      if (classes) span.className = classes;
      lines.at(-1).append(classes ? span : piece);
    },
    () => lines.push(document.createDocumentFragment()),
  );
  return lines;
}

const plainClasses = [
  [[tags.keyword, tags.operatorKeyword, tags.modifier], "tok-keyword"],
  [[tags.string], "tok-string"],
  [[tags.number, tags.bool, tags.null, tags.atom], "tok-number"],
  [[tags.comment], "tok-comment"],
  [[tags.className, tags.typeName], "tok-type"],
  [[tags.meta], "tok-meta"],
].flatMap(([members, name]) => members.map((tag) => [tag, name]));

function classOf(found) {
  for (const tag of found) {
    if (tag.set.includes(tags.function(tags.definition(tags.variableName)))) return "tok-function";
    const match = plainClasses.find(([member]) => tag.set.includes(member));
    if (match) return match[1];
  }
  return null;
}
