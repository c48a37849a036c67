// The timeline of a trace: look round, measure, find, and choose a span as the answer. What is
// chosen is a radio button of the form's table of spans, so the form needs no word of this file.
import { Offline, SignedOut, request } from "./requests.js";
import { text } from "./texts.js";
import { TraceDrawing } from "./trace-drawing.js";
import { connectPointers } from "./trace-gestures.js";
import { TimeWindow, TraceModel, nearest } from "./trace-model.js";

const ZOOM = 1.5;
const PAN = 0.2; // of the window

export class TraceViewer extends HTMLElement {
  async connectedCallback() {
    this.hidden = false;
    this.form = this.closest("answer-form");
    this.form.querySelector(".trace-table").open = false;
    this.answer = this.form.querySelector(".trace-answer");
    this.canvas = this.querySelector(".trace-canvas");
    this.status = this.querySelector(".trace-status");
    this.choose = this.querySelector("[data-do=choose]");
    this.search = this.querySelector("input[type=search]");
    this.measure = { a: null, b: null };
    this.isMeasuring = false;
    this.leaving = new AbortController();
    try {
      const response = await request(this.dataset.url);
      if (!response.ok) throw new Offline(String(response.status));
      this.model = new TraceModel(await response.json());
    } catch (failure) {
      if (!(failure instanceof Offline || failure instanceof SignedOut)) throw failure;
      this.status.textContent = text("trace_failed");
      return;
    }
    if (this.isConnected) this.start();
  }

  disconnectedCallback() {
    this.leaving.abort();
    this.watching?.disconnect();
  }

  start() {
    const { signal } = this.leaving;
    this.view = new TimeWindow(this.model.end);
    this.drawing = new TraceDrawing(this.canvas, this.querySelector(".trace-ruler"));
    this.selected = null;
    this.found = null;
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.canvas.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.canvas.addEventListener("focus", () => this.selected ?? this.select(this.firstSpan()), { signal });
    this.search.addEventListener("input", () => this.searched(), { signal });
    this.search.addEventListener("keydown", (event) => this.searching(event), { signal });
    for (const type of ["input", "replaced"]) {
      this.form.addEventListener(type, () => this.showAnswer(), { signal });
    }
    connectPointers(this, signal);
    this.watching = new ResizeObserver(() => this.draw());
    this.watching.observe(this.querySelector(".trace-rows"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
    this.status.textContent = text("trace_ready", { spans: this.model.spans.length });
    this.arrange();
    this.showAnswer();
  }

  // Which rows are there, after a rank was opened or closed.
  arrange() {
    const isPressed = (selector) =>
      this.querySelector(selector)?.getAttribute("aria-pressed") !== "false";
    this.drawing.layout(
      this.model,
      (rank) => isPressed(`[data-rank="${rank}"]`),
      (row) => isPressed(`[data-rows="${row.group}"]`),
    );
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.drawing.draw({
        view: this.view,
        selected: this.selected,
        chosen: this.chosen,
        found: this.found && new Set(this.found),
        measure: this.measure,
        rankTitle: (rank) => this.querySelector(`[data-rank="${rank}"]`)?.textContent.trim() ?? rank,
      });
    });
  }

  // Selecting and choosing

  firstSpan() {
    return this.drawing.rows[0]?.spans[0] ?? null;
  }

  // `time` stays where it was on the way across rows, so that the way back leads back.
  select(span, time = span && (span.start + span.end) / 2) {
    this.selected = span;
    this.time = time;
    this.choose.disabled = !span;
    if (span) {
      this.view.reveal(span);
      this.scrollTo(span);
      this.status.textContent = this.describe(span);
    }
    this.draw();
  }

  scrollTo(span) {
    const line = this.drawing.lineOf(span.row);
    const box = this.querySelector(".trace-rows");
    if (!line) return;
    if (line.top < box.scrollTop) box.scrollTop = line.top;
    const below = line.top + line.height - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
  }

  describe(span) {
    const args = Object.entries(span.args).map(([key, value]) => `${key} ${value.toLocaleString("en")}`);
    return text("trace_span", {
      number: span.number,
      name: span.name,
      rank: span.rank,
      row: span.row.name,
      start: ms(span.start),
      end: ms(span.end),
      length: ms(span.end - span.start),
      details: args.length ? ` · ${args.join(" · ")}` : "",
    });
  }

  chooseSelected() {
    if (!this.selected) return;
    const radio = this.form.querySelector(`[name="answer.span"][value="${this.selected.number}"]`);
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // The answer as it stands in the form, whoever put it there.
  showAnswer() {
    const radio = this.form.querySelector('[name="answer.span"]:checked');
    const before = this.chosen;
    this.chosen = radio ? this.model.byNumber.get(Number(radio.value)) : null;
    const said = this.chosen ? this.describe(this.chosen) : this.answer.dataset.empty;
    if (this.answer.textContent !== said) this.answer.textContent = said;
    if (this.chosen && this.chosen !== before) this.select(this.chosen);
    else this.draw();
  }

  // Measuring

  setMeasure(change) {
    Object.assign(this.measure, change);
    const { a, b } = this.measure;
    const line = this.querySelector(".trace-measured");
    if (a === null && b === null) line.textContent = "";
    else if (a === null || b === null) line.textContent = text("trace_point", { at: ms(a ?? b) });
    else line.textContent = text("trace_measured", { a: ms(a), b: ms(b), length: ms(Math.abs(b - a)) });
    this.draw();
  }

  // Finding

  searched() {
    const words = this.search.value.trim();
    this.found = words ? this.model.find(words) : null;
    const told = this.querySelector(".trace-found");
    told.textContent = this.found ? text("trace_found", { n: this.found.length }) : "";
    this.draw();
  }

  searching(event) {
    if (event.ctrlKey || event.metaKey) return; // sends the form, as everywhere
    event.stopPropagation();
    if (event.key === "Escape") {
      this.search.value = "";
      this.searched();
      this.canvas.focus();
    }
    if (event.key !== "Enter") return;
    event.preventDefault(); // it would send the form
    if (!this.found?.length) return;
    const shown = this.found.filter((span) => this.drawing.lineOf(span.row));
    const step = event.shiftKey ? -1 : 1;
    const from = shown.indexOf(this.selected);
    const to = from < 0 ? (step > 0 ? 0 : -1) : from + step;
    if (shown.length) this.select(shown.at(to % shown.length));
  }

  // Buttons and keys

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { do: action, rank, rows } = button.dataset;
    if (rank !== undefined || rows !== undefined) {
      toggle(button);
      this.arrange();
    } else if (action === "measure") {
      this.isMeasuring = toggle(button);
      this.canvas.classList.toggle("measuring", this.isMeasuring);
    } else if (action === "large") {
      this.classList.toggle("large", toggle(button));
    } else if (action) {
      this.act(action);
    }
  }

  act(action) {
    const whole = () => this.view.show(0, this.model.end);
    const fit = () => {
      if (!this.selected) return;
      const { start, end } = this.selected;
      const margin = Math.max(500, (end - start) * 0.5);
      this.view.show(start - margin, end + margin);
    };
    const around = this.selected ? (this.selected.start + this.selected.end) / 2 : undefined;
    const isSeen = around > this.view.from && around < this.view.to;
    const actions = {
      "zoom-in": () => this.view.zoom(1 / ZOOM, isSeen ? around : undefined),
      "zoom-out": () => this.view.zoom(ZOOM, isSeen ? around : undefined),
      whole,
      fit,
      choose: () => this.chooseSelected(),
    };
    actions[action]();
    this.draw();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.keys(event)[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    this.draw();
  }

  keys({ shiftKey }) {
    const along = (step) => () =>
      shiftKey ? this.view.move(step * PAN * this.view.length) : this.stepAlong(step);
    const edge = (name) => () => {
      const { selected } = this;
      if (selected) this.setMeasure({ [name]: (name === "a") !== shiftKey ? selected.start : selected.end });
    };
    return {
      ArrowLeft: along(-1),
      ArrowRight: along(1),
      ArrowUp: () => this.stepAcross(-1),
      ArrowDown: () => this.stepAcross(1),
      Home: () => this.selected && this.select(this.selected.row.spans[0]),
      End: () => this.selected && this.select(this.selected.row.spans.at(-1)),
      "+": () => this.act("zoom-in"),
      "=": () => this.act("zoom-in"),
      "-": () => this.act("zoom-out"),
      0: () => this.act("whole"),
      f: () => this.act("fit"),
      a: edge("a"),
      A: edge("a"),
      b: edge("b"),
      B: edge("b"),
      "/": () => this.search.focus(),
      Escape: () => this.setMeasure({ a: null, b: null }),
      Enter: () => this.chooseSelected(),
    };
  }

  stepAlong(step) {
    if (!this.selected) return;
    const { spans } = this.selected.row;
    const to = spans.indexOf(this.selected) + step;
    if (spans[to]) this.select(spans[to]);
  }

  stepAcross(step) {
    const { rows } = this.drawing;
    if (!this.selected) return;
    const from = rows.indexOf(this.selected.row);
    const row = rows[from < 0 ? 0 : from + step];
    if (row) this.select(nearest(row, this.time), this.time);
  }
}

function toggle(button) {
  const isOn = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(isOn));
  return isOn;
}

function ms(time) {
  return (time / 1000).toFixed(2);
}
