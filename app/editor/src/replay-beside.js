// What stands beside the text as of a moment: the list of moments, what was said, the last result.
import { Offline, SignedOut, request } from "./requests.js";
import { enrich } from "./rich.js";
import { text } from "./texts.js";
import { written } from "./interview-clock.js";

// How many of some things in the order of time had happened at a place in time.
export function countAt(things, { ms, sequence }) {
  let [low, high] = [0, things.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = things[middle];
    if (one.ms > ms || (one.ms === ms && one.sequence > sequence)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class MomentList {
  constructor(pane, moments) {
    this.pane = pane;
    this.items = moments.map(({ sequence }) => pane.querySelector(`#moment-${sequence}`));
    this.count = this.items.length; // the page comes with all of them
    this.current = null;
  }

  told(index) {
    const [kind, told] = [".replay-kind", ".replay-told"].map(
      (part) => this.items[index].querySelector(part).textContent,
    );
    return told ? `${kind}: ${told}` : kind;
  }

  show(count) {
    for (let index = Math.min(count, this.count); index < Math.max(count, this.count); index += 1) {
      this.items[index].classList.toggle("future", index >= count);
    }
    this.count = count;
    const current = this.items[count - 1] ?? null;
    if (current === this.current) return;
    this.current?.firstElementChild.removeAttribute("aria-current");
    current?.firstElementChild.setAttribute("aria-current", "true");
    this.current = current;
    this.isNew = Boolean(current);
  }

  // Once all else is drawn: to measure in between would lay out the page for each part of it.
  reveal() {
    if (this.isNew) keepInView(this.pane, this.current);
    this.isNew = false;
  }
}

export class Feed {
  constructor(pane, msOf) {
    this.pane = pane;
    this.items = [...pane.querySelectorAll("[data-sequence]")].map((element) => {
      const sequence = Number(element.dataset.sequence);
      return { element, sequence, ms: msOf.get(sequence) };
    });
    this.count = this.items.length;
    this.nothing = pane.querySelector(".replay-nothing-said");
  }

  show(place) {
    const count = countAt(this.items, place);
    if (count === this.count) return;
    for (let index = Math.min(count, this.count); index < Math.max(count, this.count); index += 1) {
      this.items[index].element.hidden = index >= count;
    }
    this.count = count;
    this.nothing.hidden = count > 0;
    this.isNew = count > 0;
  }

  reveal() {
    if (this.isNew) keepInView(this.pane, this.items[this.count - 1].element);
    this.isNew = false;
  }
}

// Scrolls one pane and never the page.
function keepInView(pane, item) {
  const [box, own] = [pane.getBoundingClientRect(), item.getBoundingClientRect()];
  if (own.top < box.top) pane.scrollTop -= box.top - own.top + 8;
  else if (own.bottom > box.bottom) pane.scrollTop += own.bottom - box.bottom + 8;
}

export class ResultAtMoment {
  // `list` tells a moment in words; `urlOf` gives the address of a round's verdicts.
  constructor(pane, moments, list, urlOf) {
    this.pane = pane;
    this.moments = moments;
    this.list = list;
    this.urlOf = urlOf;
    this.sent = moments.filter(({ kind }) => kind === "sent");
    this.verdicts = new Map();
    for (const one of moments) if (one.kind === "verdict") this.verdicts.set(one.submission, one);
    this.fragments = new Fragments();
    this.shown = "";
  }

  // What was last sent in a round, and its verdict if it was reached by then.
  find(place, round) {
    for (let index = countAt(this.sent, place) - 1; index >= 0; index -= 1) {
      const sent = this.sent[index];
      if (sent.round !== round) continue;
      const verdict = this.verdicts.get(sent.submission);
      return { sent, verdict: verdict && countAt([verdict], place) ? verdict : null };
    }
    return null;
  }

  show(found) {
    const key = found ? `${found.sent.submission} ${Boolean(found.verdict)}` : "none";
    if (key === this.shown) return;
    this.shown = key;
    this.pane.querySelector(".replay-no-result").hidden = Boolean(found);
    const judging = this.pane.querySelector(".replay-judging");
    judging.hidden = !found || Boolean(found.verdict);
    if (found && !found.verdict) {
      const told = this.list.told(this.moments.indexOf(found.sent));
      const since = text("replay_sent", { what: told, time: written(found.sent.ms) });
      judging.querySelector(".replay-judging-since").textContent = since;
    }
    this.draw(found?.verdict ?? null, key);
  }

  draw(verdict, key) {
    const slot = this.pane.querySelector(".replay-verdict");
    if (!verdict) {
      slot.replaceChildren();
      return;
    }
    const url = `${this.urlOf(verdict.round)}${verdict.submission}/`;
    this.fragments.put(slot, url, () => this.shown === key);
  }
}

export class ProblemOfRound {
  constructor(pane) {
    this.pane = pane;
    this.fragments = new Fragments();
  }

  show({ problem_url: url }) {
    if (this.url === url) return;
    this.url = url;
    this.fragments.put(this.pane, url, () => this.url === url);
  }
}

// Parts of the page that the server draws, each fetched once.
class Fragments {
  constructor() {
    this.known = new Map(); // url -> element, or a promise of it
  }

  // Shows a part in its place, unless another one is wanted by the time it has come.
  async put(slot, url, isWanted) {
    let fragment = this.known.get(url);
    if (!(fragment instanceof Element)) {
      slot.replaceChildren(words("muted", text("replay_loading")));
      fragment = await this.fetched(url);
      if (!isWanted()) return;
    }
    slot.replaceChildren(fragment ?? words("replay-trouble", text("replay_failed")));
    slot.closest(".replay-pane").scrollTop = 0;
  }

  fetched(url) {
    if (!this.known.has(url)) {
      const promise = this.fetch(url).then((element) => {
        if (element) this.known.set(url, element);
        else this.known.delete(url); // asked for again when it is wanted again
        return element;
      });
      this.known.set(url, promise);
    }
    return this.known.get(url);
  }

  async fetch(url) {
    try {
      const response = await request(url);
      if (!response.ok) return null;
      const element = document.createElement("div");
      element.innerHTML = await response.text();
      enrich(element);
      return element;
    } catch (error) {
      if (error instanceof Offline || error instanceof SignedOut) return null;
      throw error;
    }
  }
}

function words(className, said) {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = said;
  return element;
}
