// The problem page: sends from the editor, shows where the draft stands, settles conflicts.
import { mergeView } from "./code-view.js";
import { typing } from "./code-editor.js";
import { Offline, SignedOut, request } from "./requests.js";
import { enrich } from "./rich.js";
import { text } from "./texts.js";

export function connectWorkbench() {
  const form = document.getElementById("code-form");
  if (!form) return;
  const editor = form.querySelector("code-editor, answer-form");
  const split = form.closest("split-view");
  for (const element of form.querySelectorAll("[data-needs-script]")) element.hidden = false;
  connectStatus(form, editor);
  connectConflict(form, editor);
  connectReset(form, editor);
  connectSending(form, editor, split);
  editor.draft.recover();
}

export function connectStatus(form, editor) {
  const status = form.querySelector(".draft-status");
  const show = (state, message) => {
    status.dataset.state = state;
    status.textContent = message;
  };
  show("saved", text("saved"));
  editor.draft.addEventListener("state", ({ detail }) => {
    show(detail.state, text(detail.state, detail));
    form.querySelector("[data-action=resolve]").hidden = detail.state !== "conflict";
  });
  editor.draft.addEventListener("recovered", () => show("edited", text("recovered")));
  editor.draft.addEventListener("updated", () => show("saved", text("updated")));
}

export function connectConflict(form, editor) {
  const dialog = document.getElementById("conflict");
  const body = dialog.querySelector("[data-diff]");
  let merge = null;
  const open = () => {
    const { theirs } = editor.draft.conflict;
    merge?.destroy();
    body.replaceChildren();
    merge = mergeView(body, theirs, editor.draft.conflict.mine, {
      language: editor.dataset.language,
      editable: typing(),
      revert: true,
    });
    if (!dialog.open) dialog.showModal();
  };
  editor.draft.addEventListener("conflict", open);
  form.querySelector("[data-action=resolve]").addEventListener("click", () => {
    editor.draft.conflict.mine = editor.text;
    open();
  });
  dialog.addEventListener("close", () => editor.focus());
  dialog.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-choice]")?.dataset.choice;
    if (!choice) return;
    if (choice !== "later") settle(choice);
    dialog.close();
  });
  // Both texts pass through the editor, so that its history holds the one not chosen.
  function settle(choice) {
    const { theirs } = editor.draft.conflict;
    const mine = merge.b.state.doc.toString();
    const [dropped, chosen] = choice === "mine" ? [theirs, mine] : [mine, theirs];
    editor.replace(dropped);
    editor.replace(chosen);
    editor.draft.resolve(chosen);
  }
}

function connectReset(form, editor) {
  const dialog = document.getElementById("reset");
  const starter = JSON.parse(document.getElementById("starter").textContent);
  form.querySelector("[data-action=reset]").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-choice]")?.dataset.choice;
    if (!choice) return;
    dialog.close();
    if (choice === "yes") {
      editor.replace(starter);
      form.querySelector(".draft-status").textContent = text("reset_done");
    }
    editor.focus();
  });
}

function connectSending(form, editor, split) {
  const error = form.querySelector(".send-error");
  const panel = document.getElementById("panel");
  let sending = false;

  const refuse = (message) => {
    error.textContent = message;
    error.hidden = false;
    split.show("code");
  };

  form.addEventListener("submit", async (event) => {
    // A button that leads to another page takes the form along as it is.
    if (event.submitter?.hasAttribute("data-plain")) return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    form.classList.add("sending");
    error.hidden = true;
    const { submitter } = event;
    const body = new FormData(form);
    body.set("source", editor.text);
    body.set("kind", submitter?.value ?? "run");
    try {
      editor.draft.save();
      const url = submitter?.getAttribute("formaction") ?? form.action;
      const response = await request(url, { method: "POST", body });
      if (response.status === 201) {
        panel.innerHTML = await response.text();
        enrich(panel);
        split.show("result");
        panel.scrollIntoView({ block: "nearest" });
        panel.dispatchEvent(new CustomEvent("submission-changed", { bubbles: true }));
      } else {
        const answer = await response.json().catch(() => ({}));
        refuse(answer.error ?? text("send_failed", { status: response.status }));
      }
    } catch (failure) {
      if (failure instanceof Offline) refuse(text("send_offline"));
      else if (failure instanceof SignedOut) refuse(text("send_signed_out"));
      else throw failure;
    } finally {
      sending = false;
      form.classList.remove("sending");
    }
  });

  // The shortcuts work outside the editor too, as long as nothing else is being typed.
  document.addEventListener("keydown", (event) => {
    const typingElsewhere = event.target.closest?.("input, textarea, select, dialog, .cm-editor");
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || typingElsewhere) return;
    event.preventDefault();
    const kind = event.shiftKey ? "submit" : "run";
    form.querySelector(`button[name=kind][value=${kind}]`).click();
  });
}
