// The player's keys. They work wherever the focus is, unless it is on something that has that key.

const MINUTE_MS = 60000;
const STEP_MS = 10000;

export function connectKeys(player, signal) {
  // A button that was clicked does not keep the focus: the next Space plays, and does not click again.
  player.transport.addEventListener("mousedown", (event) => {
    if (event.target.closest(".replay-buttons")) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => pressed(player, event), { signal });
}

function pressed(player, event) {
  const { target, key } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
  if (target.closest?.("interleaving-steps, pipeline-steps")) return;
  if (key === " " && target.closest?.("button, a, summary, input")) return;
  const action = keys(player, event)[key];
  if (!action) return;
  event.preventDefault();
  action();
}

function keys(player, { shiftKey, target }) {
  const along = shiftKey ? MINUTE_MS : STEP_MS;
  const isTrack = target.matches?.(".replay-track");
  const paged = (ms) => (isTrack ? () => player.move(ms) : null); // a pane scrolls by these
  const edge = (ms) => (target.closest?.(".replay-pane") ? null : () => player.move(ms)); // so does it
  return {
    " ": () => player.play(),
    ArrowLeft: () => player.move(-along),
    ArrowRight: () => player.move(along),
    ArrowUp: isTrack ? () => player.move(along) : null,
    ArrowDown: isTrack ? () => player.move(-along) : null,
    PageUp: paged(MINUTE_MS),
    PageDown: paged(-MINUTE_MS),
    Home: edge(-Infinity),
    End: edge(Infinity),
    "[": () => player.stepMoment(-1),
    "]": () => player.stepMoment(1),
    k: () => player.stepMoment(-1),
    j: () => player.stepMoment(1),
    ",": () => player.stepEdit(-1),
    ".": () => player.stepEdit(1),
    "-": () => player.changeSpeed(-1),
    "+": () => player.changeSpeed(1),
    "=": () => player.changeSpeed(1),
    s: () => player.skips.click(),
    c: () => player.copyLink(),
  };
}
