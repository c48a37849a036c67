// Which panes are to be seen. A phone shows one; a wider window the text beside result or talk; a wide
// one the list of moments as well. What is not seen is not drawn.

const MEDIUM = matchMedia("(min-width: 48rem)");
const WIDE = matchMedia("(min-width: 80rem)");

export function connectPanes(root, changed) {
  const tablist = root.querySelector("[role=tablist]");
  const tabs = Object.fromEntries(
    [...tablist.querySelectorAll("[role=tab]")].map((tab) => [tab.dataset.pane, tab]),
  );
  // The panes that have a tab in this width; the others are always there.
  const choices = () => {
    const beside = ["result", "said", "problem"];
    if (WIDE.matches) return beside;
    return MEDIUM.matches ? [...beside, "moments"] : ["text", ...beside, "moments"];
  };
  const chosen = () => {
    const { show, side } = root.dataset;
    if (choices().includes(show)) return show;
    return choices().includes(side) ? side : "result";
  };
  const isShown = (pane) => !choices().includes(pane) || pane === chosen();

  const show = (pane) => {
    root.dataset.show = pane;
    if (pane !== "text") root.dataset.side = pane;
    arrange();
  };
  const arrange = () => {
    for (const [pane, tab] of Object.entries(tabs)) {
      const isChosen = pane === chosen();
      tab.hidden = !choices().includes(pane);
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      root.querySelector(`.replay-pane[data-pane=${pane}]`).hidden = !isShown(pane);
    }
    changed();
  };
  tablist.addEventListener("click", ({ target }) => {
    const tab = target.closest("[role=tab]");
    if (tab) show(tab.dataset.pane);
  });
  tablist.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = choices();
    const next = all[(all.indexOf(chosen()) + step + all.length) % all.length];
    show(next);
    tabs[next].focus();
  });
  for (const width of [MEDIUM, WIDE]) width.addEventListener("change", arrange);
  arrange();
  return { tabs, isShown, show };
}
