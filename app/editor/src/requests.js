// Requests to our own server that tell "offline" and "signed out" apart from an answer.

export class Offline extends Error {}
export class SignedOut extends Error {}

// Read at each request: signing in again in another tab changes it.
function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

export async function request(url, { method = "GET", body = null, keepalive = false } = {}) {
  const headers = { "X-Requested-With": "fetch" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, { method, body, headers, keepalive, redirect: "manual" });
  } catch (error) {
    throw new Offline(error.message);
  }
  // The only redirects that these addresses know lead to the sign-in page; a stale token is a 403.
  if (response.type === "opaqueredirect" || response.status === 403) throw new SignedOut();
  return response;
}
