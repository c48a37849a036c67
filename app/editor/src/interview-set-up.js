// Making a loop: Alt and an arrow key move the round in which the keyboard is. Everything else on the
// page is buttons that the server answers.
const MOVES = { ArrowUp: "up", ArrowDown: "down" };

export function connectSetUp() {
  document.addEventListener("keydown", (event) => {
    const verb = event.altKey && MOVES[event.key];
    // A list of choices opens by the same keys.
    if (!verb || event.target.matches("select")) return;
    const row = event.target.closest?.(".stage-row");
    const button = row?.querySelector(`button[value^="${verb}:"]:not(:disabled)`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
}
