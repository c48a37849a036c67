// A timeline of a pipeline: arrow keys and clicks choose an operation, which is then said in words.

const KEYS = { ArrowRight: "forward", ArrowLeft: "back", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" };

const ROOM = 40; // to the right of where an operation begins, in pixels

export class PipelineSteps extends HTMLElement {
  connectedCallback() {
    this.cells = [...this.querySelectorAll(".pl-cell")];
    if (!this.cells.length) return;
    this.at = Math.max(0, this.cells.findIndex((cell) => cell.classList.contains("pl-bad")));
    this.querySelector(".pipeline-controls").hidden = false;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.addEventListener("keydown", (event) => this.key(event), { signal });
    this.addEventListener("click", (event) => this.click(event), { signal });
    this.select(this.at);
  }

  disconnectedCallback() {
    this.leaving?.abort();
  }

  key(event) {
    const way = KEYS[event.key];
    // In the table arrows scroll; with other keys held they are the browser's.
    if (!way || event.altKey || event.ctrlKey || event.metaKey || event.target.closest("details")) return;
    event.preventDefault();
    this.go(way);
  }

  click(event) {
    const button = event.target.closest("[data-go]");
    if (button) return this.go(button.dataset.go);
    const cell = event.target.closest(".pl-cell");
    if (cell) this.select(this.cells.indexOf(cell));
  }

  go(way) {
    const last = this.cells.length - 1;
    const { at } = this;
    if (way === "up" || way === "down") return this.select(this.beside(way === "up" ? -1 : 1));
    this.select({ first: 0, last, back: Math.max(0, at - 1), forward: Math.min(last, at + 1) }[way]);
  }

  // The operation of the next rank up or down that lies nearest.
  beside(step) {
    const { rank, x } = this.cells[this.at].dataset;
    const there = this.cells.filter((cell) => Number(cell.dataset.rank) === Number(rank) + step);
    if (!there.length) return this.at;
    const distance = (cell) => Math.abs(Number(cell.dataset.x) - Number(x));
    return this.cells.indexOf(there.reduce((best, cell) => (distance(cell) < distance(best) ? cell : best)));
  }

  select(at) {
    this.at = at;
    this.show();
    // Only the drawing's own box scrolls, not the page, and only to what is out of sight.
    const box = this.querySelector(".pipeline-scroll");
    const x = Number(this.cells[at].dataset.x);
    if (x < box.scrollLeft || x + ROOM > box.scrollLeft + box.clientWidth) {
      box.scrollTo({ left: x - box.clientWidth / 2 });
    }
  }

  show() {
    this.cells.forEach((cell, index) => {
      if (index === this.at) cell.setAttribute("aria-current", "step");
      else cell.removeAttribute("aria-current");
    });
    const said = this.cells[this.at].querySelector("title").textContent;
    this.querySelector(".pipeline-place").textContent = said.replace(/\s+/g, " ").trim();
  }
}
