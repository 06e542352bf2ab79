// What a request that fails tells the person: no connection, signed out, refused, broken.
import { statusOf } from "./lib/http.js";
import { text } from "./lib/text.js";
import { openDialog } from "./dialogs.js";
import { toast } from "./toasts.js";

const UNSHOWN = new Set([400, 401, 403, 404, 413]);
let offline = null;

function setOffline(now) {
  offline?.remove();
  offline = now ? toast(text("offline"), { kind: "error" }) : null;
}

addEventListener("offline", () => setOffline(true));
addEventListener("online", () => setOffline(false));
document.addEventListener("htmx:sendError", () => setOffline(true));
document.addEventListener("htmx:timeout", () => toast(text("slow"), { kind: "error" }));
const isWidget = (event) => Boolean(event.target.closest?.("[data-widget]")); // says in its own place what went wrong
document.addEventListener("htmx:responseError", (event) => isWidget(event) || tell(event.detail.xhr));
// what may not be had, or is gone, comes as 200 with its status beside it: the place that asked keeps what it shows
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (!UNSHOWN.has(statusOf(xhr))) return;
  event.detail.shouldSwap = false;
  if (xhr.status < 400 && (statusOf(xhr) === 401 || !isWidget(event))) tell(xhr);
});

function tell(xhr) {
  const status = statusOf(xhr);
  if (status === 401) return signedOut();
  const said = xhr.getResponseHeader("X-Message");
  const key = { 403: "forbidden", 404: "missing", 413: "too-large", 429: "too-many" }[status] ?? "broken";
  toast(said ? decodeURIComponent(said) : text(key, { id: xhr.getResponseHeader("X-Request-Id") ?? "" }), { kind: "error" });
}

/** The session has ended: says so without touching the page, so that nothing typed is lost. */
export function signedOut() {
  const dialog = document.getElementById("t-signed-out");
  if (dialog && !dialog.open) openDialog(dialog);
}
