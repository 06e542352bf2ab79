// Publishing: the button says that it is at work, and what goes on afterwards is told until it is done.
import { request } from "../lib/http.js";

document.addEventListener("submit", (event) => {
  const form = event.target.closest?.("[data-publishing]");
  if (!form || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault(); // twice pressed is once published
  form.dataset.sent = "1";
  form.querySelector("[type=submit]").setAttribute("aria-disabled", "true");
  form.querySelector("[data-wait]").hidden = false;
});

async function follow(line) {
  try {
    const said = await (await request(line.dataset.progress)).json();
    if (said.at_work) return void setTimeout(() => follow(line), 2000);
    line.querySelector("span").textContent = line.dataset.sayDone;
    line.classList.add("is-done");
  } catch {
    setTimeout(() => follow(line), 5000);
  }
}
for (const line of document.querySelectorAll("[data-progress]:not([hidden])")) follow(line);

// one that a worker does: the page is drawn anew when it gets on
async function wait(box) {
  try {
    const said = await (await request(box.dataset.publishingRun)).json();
    if (said.state !== box.dataset.state) return void location.reload();
    setTimeout(() => wait(box), 2000);
  } catch {
    setTimeout(() => wait(box), 5000);
  }
}
for (const box of document.querySelectorAll("[data-publishing-run]")) setTimeout(() => wait(box), 1000);
