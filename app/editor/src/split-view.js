// Statement and code side by side with a bar to drag; on a phone, tabs.

const SMALLEST = 20;
const LARGEST = 75;
const STEP = 3;

export class SplitView extends HTMLElement {
  connectedCallback() {
    this.bar = this.querySelector(":scope > .splitter");
    this.tabs = [...this.querySelectorAll("[role=tab]")];
    this.storageKey = `gauntlet:split:${this.dataset.key}`;
    const stored = Number(localStorage.getItem(this.storageKey));
    if (stored) this.resize(stored);
    this.bar.addEventListener("pointerdown", (event) => this.drag(event));
    this.bar.addEventListener("keydown", (event) => this.nudge(event));
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.show(tab.dataset.pane));
      tab.addEventListener("keydown", (event) => this.walk(event));
    }
  }

  get percent() {
    return Number(this.bar.getAttribute("aria-valuenow"));
  }

  resize(percent) {
    const kept = Math.round(Math.min(LARGEST, Math.max(SMALLEST, percent)));
    this.style.setProperty("--split", `${kept}%`);
    this.bar.setAttribute("aria-valuenow", kept);
    localStorage.setItem(this.storageKey, kept);
  }

  drag(event) {
    event.preventDefault();
    this.bar.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const box = this.getBoundingClientRect();
      this.resize((100 * (moved.clientX - box.left)) / box.width);
    };
    this.bar.addEventListener("pointermove", move);
    const stop = () => this.bar.removeEventListener("pointermove", move);
    this.bar.addEventListener("pointerup", stop, { once: true });
    this.bar.addEventListener("pointercancel", stop, { once: true });
  }

  nudge(event) {
    const target = {
      ArrowLeft: this.percent - STEP,
      ArrowRight: this.percent + STEP,
      Home: SMALLEST,
      End: LARGEST,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.resize(target);
  }

  // Only the phone's layout hides panes, by a style on data-show.
  show(pane) {
    this.dataset.show = pane;
    for (const tab of this.tabs) {
      const chosen = tab.dataset.pane === pane;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
    }
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const index = this.tabs.indexOf(event.target);
    const next = this.tabs[(index + step + this.tabs.length) % this.tabs.length];
    this.show(next.dataset.pane);
    next.focus();
  }
}
