// A worksheet in place of the editor. Its text is the same YAML that the server makes of the form:
// a field a line, a table's row a line, values as JSON. How an answer is read, the judge says.
import { DraftStore } from "./drafts.js";
import { Offline, SignedOut, request } from "./requests.js";

const READ_AFTER_MS = 250;

export class AnswerForm extends HTMLElement {
  connectedCallback() {
    this.waiting = new Map(); // input -> timer
    this.asked = new Map(); // input -> number of its newest question
    this.fields = [...this.querySelectorAll("[data-field]")];
    this.inputs = [...this.querySelectorAll("input[data-path]")];
    this.draft = new DraftStore({
      url: this.dataset.draftUrl,
      key: this.dataset.key,
      text: this.text,
      revision: Number(this.dataset.revision),
      isSaved: !("unsaved" in this.dataset),
      saveAfterMs: Number(this.dataset.saveAfterMs) || undefined,
    });
    this.draft.addEventListener("recovered", (event) => this.replace(event.detail.text));
    this.draft.addEventListener("updated", (event) => this.replace(event.detail.text));
    this.addEventListener("input", ({ target }) => this.changed(target));
    this.addEventListener("keydown", (event) => this.pressed(event));
    for (const input of this.inputs) this.readSoon(input, 0);
  }

  focus() {
    this.querySelector("input:not([type=hidden], [type=search])").focus();
  }

  get text() {
    return this.fields.map((field) => lineOf(field)).join("");
  }

  replace(newText) {
    if (newText === this.text) return;
    const answers = parse(newText);
    for (const field of this.fields) fill(field, answers[field.dataset.field]);
    for (const input of this.inputs) this.readSoon(input, 0);
    this.dispatchEvent(new CustomEvent("replaced"));
    this.draft?.edit(this.text);
  }

  changed(target) {
    this.draft.edit(this.text);
    if (target.dataset.path) this.readSoon(target, READ_AFTER_MS);
  }

  // Enter alone goes to the next answer: a form half filled in is not to be sent by accident.
  pressed(event) {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const kind = event.shiftKey ? "submit" : "run";
      this.closest("form").querySelector(`button[name=kind][value=${kind}]`).click();
    } else if (event.target.matches("input[type=text]")) {
      event.preventDefault();
      const all = [...this.querySelectorAll("input:not([type=hidden])")];
      all[(all.indexOf(event.target) + 1) % all.length].focus();
    }
  }

  readSoon(input, wait_ms) {
    clearTimeout(this.waiting.get(input));
    this.waiting.set(
      input,
      setTimeout(() => this.read(input), wait_ms),
    );
  }

  async read(input) {
    const output = document.getElementById(input.getAttribute("aria-describedby"));
    const question = (this.asked.get(input) ?? 0) + 1;
    this.asked.set(input, question);
    const answered = input.value.trim() ? await this.ask(input) : { state: "empty" };
    if (!answered || this.asked.get(input) !== question) return;
    input.dataset.state = answered.state;
    output.dataset.state = answered.state;
    output.textContent = answered.text || output.dataset.hint;
  }

  async ask(input) {
    const query = new URLSearchParams({ field: input.dataset.path, text: input.value });
    try {
      const response = await request(`${this.dataset.readingUrl}?${query}`);
      return response.ok ? await response.json() : null;
    } catch (error) {
      // Without an answer the hint stays; Run asks again.
      if (error instanceof Offline || error instanceof SignedOut) return null;
      throw error;
    }
  }
}

function lineOf(field) {
  const { field: name, kind } = field.dataset;
  if (kind === "table") {
    const rows = [...field.querySelectorAll("[data-row]")].map((row) => {
      const cells = [...row.querySelectorAll("[data-column]")].map((cell) => {
        const value = cell.querySelector("input").value.trim();
        return `${JSON.stringify(cell.dataset.column)}: ${JSON.stringify(value)}`;
      });
      return `  ${row.dataset.row}: {${cells.join(", ")}}\n`;
    });
    return `${name}:\n${rows.join("")}`;
  }
  const chosen = [...field.querySelectorAll("input:checked")].map((input) => input.value);
  if (kind === "set") {
    return `${name}: [${chosen.map((value) => JSON.stringify(value)).join(", ")}]\n`;
  }
  const value = kind === "choice" ? (chosen[0] ?? "") : field.querySelector("input").value.trim();
  return `${name}: ${JSON.stringify(value)}\n`;
}

// Reads what lineOf writes. A person may have edited it in the dialog of two versions, so what is
// no JSON is taken as it stands.
export function parse(source) {
  const answers = {};
  let table = null;
  for (const line of source.split("\n")) {
    const found = /^(\s*)([\w-]+):\s*(.*?)\s*$/.exec(line);
    if (!found) continue;
    const [, indent, name, rest] = found;
    if (indent && table) table[name] = value(rest);
    else if (rest) answers[name] = value(rest);
    else table = answers[name] = {};
  }
  return answers;
}

function value(written) {
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}

export function fill(field, answer) {
  if (field.dataset.kind === "table") {
    for (const row of field.querySelectorAll("[data-row]")) {
      for (const cell of row.querySelectorAll("[data-column]")) {
        const given = answer?.[row.dataset.row]?.[cell.dataset.column];
        cell.querySelector("input").value = given ?? "";
      }
    }
  } else if (field.dataset.kind === "number") {
    field.querySelector("input").value = answer ?? "";
  } else {
    const chosen = [answer ?? []].flat().map(String);
    for (const input of field.querySelectorAll("input")) {
      input.checked = chosen.includes(input.value);
    }
  }
}
