// A self-review below a verdict: saved without leaving the page. Without scripts it is a plain form.
import { Offline, SignedOut, request } from "./requests.js";
import { text } from "./texts.js";

export function connectSelfReviews() {
  document.addEventListener("submit", async (event) => {
    const section = event.target.closest("[data-self-review]");
    if (!section) return;
    event.preventDefault();
    const state = section.querySelector("[data-review-state]");
    try {
      const body = new FormData(event.target);
      const response = await request(event.target.action, { method: "POST", body });
      if (!response.ok) {
        state.textContent = text("not_kept", { reason: await response.text() });
        return;
      }
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const saved = page.querySelector("[data-self-review]");
      section.replaceWith(saved);
      saved.querySelector("button").focus();
    } catch (failure) {
      if (failure instanceof Offline) state.textContent = text("send_offline");
      else if (failure instanceof SignedOut) state.textContent = text("send_signed_out");
      else throw failure;
    }
  });
}
