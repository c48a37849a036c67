// What the scripts say to people: the page brings it in the person's language.
const texts = JSON.parse(document.getElementById("texts").textContent);

export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
