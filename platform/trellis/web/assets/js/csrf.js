// Every request of htmx carries the token of this session.
import { csrfToken } from "./lib/http.js";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});
