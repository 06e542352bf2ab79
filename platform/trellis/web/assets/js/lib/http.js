// Requests that a module makes by itself, with what the server expects of every one.

/** The token that every write carries. */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** Whoever signed in anew in another tab has another token: the page takes it over. */
export function renewToken(token) {
  document.querySelector('meta[name="csrf-token"]')?.setAttribute("content", token);
  for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token;
}

/** The address of a page of this tenant: address("e/deal/") */
export function address(path) {
  const root = document.querySelector('meta[name="root"]')?.content ?? "/";
  return root + path.replace(/^\//, "");
}

/** The true status of what htmx was answered: a refusal comes as 200 with X-Refused (web/refusals.py). */
export function statusOf(xhr) {
  return Number(xhr.getResponseHeader("X-Refused")) || xhr.status;
}

/**
 * Every fetch of ours ends here. A refusal (422), a stale save (409) and what may not be seen (401, 403, 404) come as 200 with X-Refused, as browsers write other
 * statuses into the console (web/refusals.py): the true one is put back, so `answer.status === 422` and `answer.ok` hold.
 */
export async function send(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  const status = Number(answer.headers.get("X-Refused"));
  return status ? new Response(answer.body, { status, headers: answer.headers }) : answer;
}

/** A fetch that carries the token and says that a page asks, not a browser going somewhere. */
export function request(url, { method = "GET", body, headers = {}, ...rest } = {}) {
  const data = body instanceof FormData || body instanceof URLSearchParams || typeof body === "string" || body === undefined;
  return send(url, {
    method,
    headers: {
      "X-Requested-With": "fetch",
      ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
      ...(data ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: data ? body : JSON.stringify(body),
    ...rest,
  });
}
