// What a request that fails tells the person: no connection, signed out, refused, broken.
import { text } from "./lib/text.js";
import { openDialog } from "./dialogs.js";
import { toast } from "./toasts.js";

let offline = null;

function setOffline(now) {
  offline?.remove();
  offline = now ? toast(text("offline"), { kind: "error" }) : null;
}

addEventListener("offline", () => setOffline(true));
addEventListener("online", () => setOffline(false));
document.addEventListener("htmx:sendError", () => setOffline(true));
document.addEventListener("htmx:timeout", () => toast(text("slow"), { kind: "error" }));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) return signedOut();
  const said = xhr.getResponseHeader("X-Message");
  const key = { 403: "forbidden", 404: "missing", 413: "too-large", 429: "too-many" }[xhr.status] ?? "broken";
  toast(said ? decodeURIComponent(said) : text(key, { id: xhr.getResponseHeader("X-Request-Id") ?? "" }), { kind: "error" });
});

/** The session has ended: says so without touching the page, so that nothing typed is lost. */
export function signedOut() {
  const dialog = document.getElementById("t-signed-out");
  if (dialog && !dialog.open) openDialog(dialog);
}

// errors of htmx itself are told above
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 401) event.detail.shouldSwap = false;
});
