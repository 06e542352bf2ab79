// The worker that shows a page of ours, not the browser's, when a page is opened without a connection.
import { address } from "./lib/http.js";

if ("serviceWorker" in navigator && document.documentElement.dataset.signedIn !== undefined) {
  addEventListener("load", () => navigator.serviceWorker.register(address("worker.js"), { scope: address("") }).catch(() => {}), { once: true });
}
