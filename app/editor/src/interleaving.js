// An execution of several threads, stepped through forwards and backwards.
import { highlightLines } from "./code.js";

const KEYS = {
  ArrowRight: "forward",
  ArrowDown: "forward",
  ArrowLeft: "back",
  ArrowUp: "back",
  Home: "first",
  End: "last",
};

export class InterleavingSteps extends HTMLElement {
  connectedCallback() {
    this.rows = [...this.querySelectorAll(".il-steps tbody tr")];
    this.calls = [...this.querySelectorAll(".il-call")];
    this.lines = new Map([...this.querySelectorAll(".il-source li")].map((line) => [line.value, line]));
    this.at = null; // no step yet: everything is shown alike
    this.colour();
    this.querySelector(".il-controls").hidden = false;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.addEventListener("keydown", (event) => this.key(event), { signal });
    this.addEventListener("click", (event) => this.click(event), { signal });
    this.show();
  }

  disconnectedCallback() {
    this.leaving.abort();
  }

  colour() {
    const codes = [...this.lines.values()].map((line) => line.querySelector("code"));
    const source = codes.map((code) => code.textContent).join("\n");
    highlightLines(source, "cpp").forEach((line, index) => codes[index]?.replaceChildren(line));
  }

  key(event) {
    const way = KEYS[event.key];
    // In the source, arrows scroll; with other keys held they are the browser's.
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest(".il-source")) return;
    event.preventDefault();
    this.go(way);
  }

  click(event) {
    const button = event.target.closest("[data-go]");
    if (button) return this.go(button.dataset.go);
    const link = event.target.closest(".il-line");
    if (link) event.preventDefault(); // the line comes into view by itself
    const row = event.target.closest(".il-steps tbody tr");
    if (row) this.select(this.rows.indexOf(row));
  }

  go(way) {
    const last = this.rows.length - 1;
    const from = this.at ?? -1;
    const to = { first: 0, last, back: Math.max(0, from - 1), forward: Math.min(last, from + 1) }[way];
    this.select(to);
  }

  select(at) {
    this.at = at;
    this.show();
    this.rows[at].scrollIntoView({ block: "nearest" });
    this.announce();
  }

  show() {
    const { at, rows } = this;
    rows.forEach((row, index) => {
      row.toggleAttribute("aria-current", index === at);
      if (index === at) row.setAttribute("aria-current", "step");
      row.classList.toggle("il-later", at !== null && index > at);
    });
    for (const call of this.calls) {
      const last = call.dataset.last === "" ? Infinity : Number(call.dataset.last);
      call.classList.toggle("il-now", at !== null && Number(call.dataset.first) <= at && at <= last);
    }
    for (const line of this.lines.values()) line.classList.remove("il-now");
    const current = at === null ? null : this.lines.get(Number(rows[at].dataset.line));
    if (current) {
      current.classList.add("il-now");
      // Only the source's own box scrolls, not the page.
      const box = current.parentElement;
      const middle = current.offsetTop - box.offsetTop - box.clientHeight / 2;
      box.scrollTo({ top: middle });
    }
    const [back, forward] = ["back", "forward"].map((way) => this.querySelector(`[data-go=${way}]`));
    back.disabled = at === 0;
    forward.disabled = at === rows.length - 1;
    this.querySelector(".il-place").textContent = at === null ? "" : this.place();
  }

  place() {
    return this.dataset.stepText.replace("%s", this.at + 1).replace("%t", this.rows.length);
  }

  announce() {
    const row = this.rows[this.at];
    const parts = [this.place(), row.dataset.thread];
    if (row.dataset.line) parts.push(this.dataset.lineText.replace("%s", row.dataset.line));
    for (const said of row.querySelectorAll(".il-hidden, .il-text, .il-note")) parts.push(said.textContent.trim());
    this.querySelector(".il-announcer").textContent = parts.join(", ");
  }
}
