// Draws rows of spans on a canvas, and the ruler above them. Only what the window shows is drawn.
import { firstAfter } from "./trace-model.js";

export const ROW_HEIGHT = 20;
export const HEAD_HEIGHT = 22;
const RULER_HEIGHT = 24;
const NARROW_PX = 480;
const TEXT_FROM_PX = 34;

// Categories of Chrome's trace -> the page's colours.
const INKS = {
  kernel: "--accent",
  nccl: "--ours",
  gpu_memcpy: "--warn",
  network: "--code-string",
  python: "--code-function",
  cuda_runtime: "--code-keyword",
  io: "--code-number",
  annotation: "--muted",
};
const PAGE_INKS = ["--ink", "--muted", "--line", "--raised", "--surface", "--accent-soft", "--bad"];

export class TraceDrawing {
  constructor(canvas, ruler) {
    this.canvas = canvas;
    this.ruler = ruler;
  }

  // What is shown: heads of ranks and rows, each with its top.
  layout(model, isOpen, isShown) {
    let top = 0;
    this.lines = [];
    for (const rank of model.ranks) {
      this.lines.push({ rank, top, height: HEAD_HEIGHT, isOpen: isOpen(rank) });
      top += HEAD_HEIGHT;
      if (!isOpen(rank)) continue;
      for (const row of model.rows) {
        if (row.rank !== rank || !isShown(row)) continue;
        this.lines.push({ row, top, height: ROW_HEIGHT });
        top += ROW_HEIGHT;
      }
    }
    this.height = top;
  }

  get rows() {
    return this.lines.filter((line) => line.row).map((line) => line.row);
  }

  lineAt(y) {
    return this.lines.find((line) => y >= line.top && y < line.top + line.height);
  }

  lineOf(row) {
    return this.lines.find((line) => line.row === row);
  }

  get gutter() {
    return this.width < NARROW_PX ? 76 : 132;
  }

  x(time, view) {
    return this.gutter + ((time - view.from) / view.length) * (this.width - this.gutter);
  }

  time(x, view) {
    return view.from + ((x - this.gutter) / (this.width - this.gutter)) * view.length;
  }

  draw({ view, selected, chosen, found, measure, rankTitle }) {
    this.width = this.canvas.parentElement.clientWidth;
    const style = getComputedStyle(this.canvas);
    const ink = (name) => style.getPropertyValue(name).trim();
    this.inks = Object.fromEntries(
      [...PAGE_INKS, ...Object.values(INKS)].map((name) => [name, solid(ink(name), style)]),
    );
    this.font = style.fontFamily;
    const context = this.fit(this.canvas, this.height);
    for (const line of this.lines) {
      if (line.row) this.row(context, line, { view, selected, chosen, found });
      else this.head(context, line, rankTitle(line.rank));
    }
    this.drawMeasure(context, view, measure, this.height);
    this.drawRuler(view, measure);
  }

  fit(canvas, height) {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${this.width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.clearRect(0, 0, this.width, height);
    context.textBaseline = "middle";
    return context;
  }

  head(context, line, title) {
    context.fillStyle = this.inks["--accent-soft"];
    context.fillRect(0, line.top, this.width, line.height - 1);
    context.fillStyle = this.inks["--ink"];
    context.font = `600 12px ${this.font}`;
    context.fillText(`${line.isOpen ? "▾" : "▸"} ${title}`, 6, line.top + line.height / 2);
  }

  row(context, line, { view, selected, chosen, found }) {
    const { row, top } = line;
    context.fillStyle = this.inks["--line"];
    context.fillRect(0, top + ROW_HEIGHT - 1, this.width, 1);
    context.save();
    context.beginPath();
    context.rect(this.gutter, top, this.width - this.gutter, ROW_HEIGHT);
    context.clip();
    context.font = `11px ${this.font}`;
    for (let index = firstAfter(row, view.from); index < row.spans.length; index += 1) {
      const span = row.spans[index];
      if (span.start > view.to) break;
      this.span(context, span, top, view, found && !found.has(span));
      if (span === selected) this.outline(context, span, top, view, "--ink", 2);
      if (span === chosen) this.outline(context, span, top, view, "--bad", 2);
    }
    context.restore();
    context.font = `11px ${this.font}`;
    context.fillStyle = this.inks["--muted"];
    const name = this.width < NARROW_PX ? shortened(row.name) : row.name;
    context.fillText(name, 6, top + ROW_HEIGHT / 2, this.gutter - 10);
  }

  span(context, span, top, view, isDim) {
    const left = Math.max(this.gutter - 2, this.x(span.start, view));
    const right = Math.min(this.width + 2, this.x(span.end, view));
    context.globalAlpha = isDim ? 0.18 : 1;
    context.fillStyle = this.inks[INKS[span.category] ?? "--muted"];
    context.fillRect(left, top + 2, Math.max(1, right - left - 0.5), ROW_HEIGHT - 5);
    if (right - left > TEXT_FROM_PX) {
      context.save();
      context.beginPath();
      context.rect(left, top, right - left - 3, ROW_HEIGHT);
      context.clip();
      context.fillStyle = this.inks["--raised"];
      context.fillText(span.label, left + 4, top + ROW_HEIGHT / 2);
      context.restore();
    }
    context.globalAlpha = 1;
  }

  outline(context, span, top, view, name, width) {
    const left = this.x(span.start, view);
    context.strokeStyle = this.inks[name];
    context.lineWidth = width;
    const inset = name === "--bad" ? 3 : 1;
    context.strokeRect(left - 1, top + inset, Math.max(4, this.x(span.end, view) - left + 1), ROW_HEIGHT - 1 - 2 * inset);
  }

  drawMeasure(context, view, measure, height) {
    const points = [measure.a, measure.b].filter((point) => point !== null);
    if (!points.length) return;
    context.save();
    context.beginPath();
    context.rect(this.gutter, 0, this.width - this.gutter, height);
    context.clip();
    const [left, right] = [Math.min(...points), Math.max(...points)].map((at) => this.x(at, view));
    context.fillStyle = this.inks["--bad"];
    context.globalAlpha = 0.1;
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1;
    for (const x of [left, right]) context.fillRect(x - 0.5, 0, 1.5, height);
    context.restore();
  }

  drawRuler(view, measure) {
    const context = this.fit(this.ruler, RULER_HEIGHT);
    const step = roundStep((view.length / Math.max(1, this.width - this.gutter)) * 80);
    context.font = `11px ${this.font}`;
    context.strokeStyle = this.inks["--muted"];
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = this.x(at, view);
      context.fillStyle = this.inks["--muted"];
      context.fillRect(x, 16, 1, 8);
      const text = `${(at / 1000).toFixed(step < 1000 ? (step < 100 ? 2 : 1) : 0)} ms`;
      if (x + 46 < this.width) context.fillText(text, x + 3, 10);
    }
    this.drawMeasure(context, view, measure, RULER_HEIGHT);
  }
}

// On a phone the distinctive word of a row's name is enough, with its number.
function shortened(name) {
  const words = name.split(" ");
  const isNumbered = /^\d+$/.test(words.at(-1));
  if (words[0] === "network") return `net ${words.at(-1)}`;
  if (words[0] === "checkpoint") return words[1];
  return isNumbered ? `${words[0]} ${words.at(-1)}` : words[0];
}

// 1, 2 or 5 times a power of ten, no less than `least`.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => power * factor >= least);
}

// A canvas knows no light-dark(): take the side that the page is on.
function solid(colour, style) {
  const sides = /^light-dark\(\s*(.+?)\s*,\s*(.+?)\s*\)$/.exec(colour);
  if (!sides) return colour;
  const scheme = style.colorScheme;
  const isDark =
    scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return sides[isDark ? 2 : 1];
}
