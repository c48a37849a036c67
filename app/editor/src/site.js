// What every page needs: htmx, times in the reader's own zone, small comforts.
import htmx from "htmx.org";

import { connectSetUp } from "./interview-set-up.js";

window.htmx = htmx;

const formats = {
  "": new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  }),
  time: new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" }),
};

function localizeTimes(root) {
  for (const element of root.querySelectorAll("time[data-local]")) {
    const format = formats[element.dataset.local];
    element.title = element.textContent.trim();
    element.textContent = format.format(new Date(element.dateTime));
    element.removeAttribute("data-local");
  }
}

localizeTimes(document);
// Fragments arrive by htmx, by the live panel and by sockets: watch the tree itself.
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.addedNodes.length) localizeTimes(change.target);
  }
}).observe(document.body, { childList: true, subtree: true });

connectSetUp();

for (const select of document.querySelectorAll("select[data-autosubmit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// A menu closes when the reader goes elsewhere. Menus come with fragments too.
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});
document.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
