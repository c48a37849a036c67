// What stands beside the statement of a running round: kept up to date without losing what is typed.
import { Offline, SignedOut, request } from "./requests.js";
import { enrich } from "./rich.js";

const CHANGES_BESIDE = ["follow_up", "answer", "hint", "note"];

export function connectInterview() {
  connectDialogs();
  const beside = document.getElementById("beside");
  if (!beside) return;
  let waiting = null;
  document.body.addEventListener("interview-moment", ({ detail }) => {
    if (detail.kind === "sent") showSubmission(detail);
    if (!CHANGES_BESIDE.includes(detail.kind)) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(beside), 50);
  });
}

function connectDialogs() {
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest?.("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
    if (target.closest?.("[data-closes]")) target.closest("dialog").close();
  });
}

// Who watches has no editor to send from: the page shows the newest result by itself.
function showSubmission() {
  if (!document.getElementById("code-form")) location.reload();
}

async function refresh(beside) {
  let html;
  try {
    const response = await request(beside.dataset.url);
    if (!response.ok) return;
    html = await response.text();
  } catch (error) {
    if (error instanceof Offline || error instanceof SignedOut) return;
    throw error;
  }
  const typed = new Map();
  for (const field of beside.querySelectorAll("textarea[id], input[id]:not([type=hidden])")) {
    typed.set(field.id, { value: field.value, checked: field.checked });
  }
  const focused = beside.contains(document.activeElement) ? document.activeElement.id : null;
  const selection = focused && [
    document.activeElement.selectionStart,
    document.activeElement.selectionEnd,
  ];
  const open = new Set(
    [...beside.querySelectorAll("details[open] > summary")].map((one) => one.textContent.trim()),
  );
  beside.innerHTML = html;
  for (const [id, { value, checked }] of typed) {
    const field = document.getElementById(id);
    if (!field) continue;
    field.value = value;
    field.checked = checked;
  }
  for (const summary of beside.querySelectorAll("summary")) {
    if (open.has(summary.textContent.trim())) summary.parentElement.open = true;
  }
  const field = focused && document.getElementById(focused);
  if (field) {
    field.focus();
    if (selection[0] != null) field.setSelectionRange?.(...selection);
  }
  enrich(beside);
}
