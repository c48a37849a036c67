// The scrubber: stretches of time, how much was typed when, marks of what happened, and the thumb.
// It dispatches "jump" with a place in time.
import { place } from "./replay-text.js";

const MARKED = ["sent", "verdict", "hint", "follow_up", "answer", "chat", "note"];
const BUCKETS = 400;

export class Scrubber extends EventTarget {
  // `label` gives the words for a time, `told` those for a moment.
  constructor(root, axis, { label, told }) {
    super();
    this.axis = axis;
    this.label = label;
    this.track = root.querySelector(".replay-track");
    this.thumb = root.querySelector(".replay-thumb");
    this.played = root.querySelector(".replay-played");
    this.marks = root.querySelector(".replay-marks");
    this.activity = root.querySelector(".replay-activity");
    this.hover = root.querySelector(".replay-hover");
    this.told = told;
    this.typed = new Map(); // round -> { role: characters in each bucket }
    this.drawStretches(root.querySelector(".replay-stretches"));
    this.track.addEventListener("pointerdown", (event) => this.drag(event));
    root.addEventListener("pointermove", (event) => this.hovered(event));
    root.addEventListener("pointerleave", () => (this.hover.hidden = true));
    this.marks.addEventListener("click", ({ target }) => {
      if (target.moment) this.jump(place(target.moment.ms, target.moment.sequence));
    });
  }

  jump(detail) {
    this.dispatchEvent(new CustomEvent("jump", { detail }));
  }

  drawStretches(parent) {
    let named = null;
    for (const { kind, round, from, to } of this.axis.stretches) {
      const stretch = document.createElement("div");
      stretch.className = `replay-stretch ${kind}`;
      stretch.style.insetInlineStart = percent(from);
      stretch.style.inlineSize = percent(to - from);
      if (kind === "round" && round !== named) stretch.dataset.round = named = round;
      parent.append(stretch);
    }
  }

  // Marks stand above the track; what a mark says, the list of moments says too.
  drawMarks(moments) {
    const marks = moments.filter(({ kind }) => MARKED.includes(kind));
    this.marks.replaceChildren(
      ...marks.map((moment) => {
        const mark = document.createElement("span");
        mark.className = "replay-mark";
        mark.dataset.kind = moment.kind;
        mark.dataset.tone = moment.tone ?? "";
        mark.style.insetInlineStart = percent(this.axis.share(moment.ms));
        mark.dataset.sequence = moment.sequence;
        mark.moment = moment;
        return mark;
      }),
    );
  }

  // How much of a round's text was typed when, by role.
  drawActivity(round, track, roles) {
    const typed = {};
    for (let index = 0; index < track.length; index += 1) {
      const role = roles[track.authors[index]];
      if (!role) continue; // the starter
      const [, gone, added] = track.splices[index];
      const bucket = Math.min(BUCKETS - 1, Math.floor(BUCKETS * this.axis.share(track.times[index])));
      (typed[role] ??= new Float64Array(BUCKETS))[bucket] += Math.max(gone, added.length);
    }
    this.typed.set(round, typed);
    const all = [...this.typed.values()].flatMap((byRole) => Object.entries(byRole));
    this.activity.replaceChildren(
      ...["interviewer", "candidate"].map((role) => {
        const sums = new Float64Array(BUCKETS);
        for (const [one, counts] of all) {
          if (one === role) counts.forEach((count, bucket) => (sums[bucket] += count));
        }
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", role);
        path.setAttribute("d", bars(sums));
        return path;
      }),
    );
  }

  show(ms, valueText) {
    const share = this.axis.share(ms);
    this.thumb.style.insetInlineStart = percent(share);
    this.played.style.inlineSize = percent(share);
    this.track.setAttribute("aria-valuenow", Math.round(ms / 1000));
    if (valueText) this.track.setAttribute("aria-valuetext", valueText);
  }

  timeUnder({ clientX }) {
    const box = this.track.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    return this.axis.timeAt(share);
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.track.focus();
    this.track.setPointerCapture(event.pointerId);
    const move = (moved) => this.jump(place(this.timeUnder(moved)));
    move(event);
    this.track.addEventListener("pointermove", move);
    const stop = () => this.track.removeEventListener("pointermove", move);
    this.track.addEventListener("pointerup", stop, { once: true });
    this.track.addEventListener("pointercancel", stop, { once: true });
  }

  hovered(event) {
    const { moment } = event.target;
    const isMouse = event.pointerType === "mouse";
    this.hover.hidden = !isMouse || !(moment || this.track.contains(event.target));
    if (this.hover.hidden) return;
    const ms = moment ? moment.ms : this.timeUnder(event);
    this.hover.textContent = moment ? this.told(moment) : this.label(ms);
    this.hover.style.setProperty("--at", percent(this.axis.share(ms)));
  }
}

// A column a bucket. A paste of thousands of characters must not flatten the typing: square roots,
// and the few that are far above the rest are cut off.
function bars(counts) {
  const heights = [...counts].filter(Boolean).map(Math.sqrt).sort((one, other) => one - other);
  const full = heights[Math.floor(0.95 * (heights.length - 1))];
  const width = 1000 / BUCKETS;
  let path = "";
  counts.forEach((count, bucket) => {
    if (!count) return;
    const height = Math.min(70, Math.max(6, (60 * Math.sqrt(count)) / full));
    path += `M${(bucket * width).toFixed(1)} 100v${-height.toFixed(1)}h${(width * 0.8).toFixed(2)}V100z`;
  });
  return path;
}

function percent(share) {
  return `${(100 * share).toFixed(4)}%`;
}
