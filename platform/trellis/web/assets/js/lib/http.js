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

/** A fetch that carries the token and says that a page asks, not a browser going somewhere. */
export function request(url, { method = "GET", body, headers = {}, ...rest } = {}) {
  const data = body instanceof FormData || body instanceof URLSearchParams || typeof body === "string" || body === undefined;
  return fetch(url, {
    method,
    credentials: "same-origin",
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
