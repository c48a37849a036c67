// The page on which a problem is written.
import { PackageEditor } from "./package-editor.js";
import { Offline, SignedOut, request } from "./requests.js";
import { enrich } from "./rich.js";
import { SplitView } from "./split-view.js";
import { connectConflict, connectStatus } from "./workbench.js";

const PREVIEW_AFTER_MS = 400;

customElements.define("split-view", SplitView);
customElements.define("package-editor", PackageEditor);

const form = document.getElementById("package-form");
const editor = form.querySelector("package-editor");
connectStatus(form, editor);
connectConflict(form, editor);
connectPreview(document.getElementById("preview"));
connectDialogs();
connectActions();
enrich(document);
editor.draft.recover();

function connectPreview(preview) {
  let waiting = null;
  let asked = 0;
  const refresh = async () => {
    const number = ++asked;
    const body = JSON.stringify({ text: editor.text });
    try {
      const response = await request(preview.dataset.url, { method: "POST", body });
      const html = await response.text();
      // An answer that was overtaken by a later one is old news.
      if (!response.ok || number !== asked) return;
      preview.innerHTML = html;
      enrich(preview);
    } catch (error) {
      if (!(error instanceof Offline || error instanceof SignedOut)) throw error;
    }
  };
  editor.addEventListener("package-typed", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, PREVIEW_AFTER_MS);
  });
}

// What is verified or published is what the server has: so first it gets what was typed.
function connectActions() {
  document.addEventListener("submit", async (event) => {
    const { target, submitter } = event;
    if (!target.closest("#state") || !editor.draft.isDirty) return;
    event.preventDefault();
    while (editor.draft.busy) await new Promise((resolve) => setTimeout(resolve, 50));
    await editor.draft.save();
    if (!editor.draft.isDirty) target.requestSubmit(submitter);
  });
}

// Buttons come and go with what the server sends, so the page itself listens.
function connectDialogs() {
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
    if (target.closest("[data-closes]")) target.closest("dialog").close();
    const link = target.closest("a[data-line]");
    if (link) document.querySelector("split-view").show("code");
  });
}
