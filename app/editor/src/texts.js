// What the scripts say to people: the page brings it in the person's language.
const texts = JSON.parse(document.getElementById("texts").textContent);

// CodeMirror asks by its own English words and writes a value as $.
export function editorPhrases() {
  return Object.fromEntries(
    Object.entries(texts).map(([key, phrase]) => [key, phrase.replace("{n}", "$")]),
  );
}

export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
