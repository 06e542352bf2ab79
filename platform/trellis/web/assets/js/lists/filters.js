// Filter chips: the builder opens under the button or the chip, is drawn by the server, and gives the list's next address.
import { place } from "../menus.js";
import { request } from "../lib/http.js";
import { go } from "./nav.js";

const pop = () => document.getElementById("filter-pop");
let anchor = null;

async function load(extra = "") {
  const box = pop();
  const answer = await request(box.dataset.src + extra);
  if (answer.ok) draw(await answer.text());
}

function draw(html) {
  const box = pop();
  box.innerHTML = html;
  if (anchor?.isConnected) place(box, anchor);
  const first = box.querySelector(".t-filter-value :is(input:not([type=hidden]), select), textarea, select");
  first?.focus({ preventScroll: true });
}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const answer = await request(form.action, { method: "POST", body });
  if (!answer.ok) return;
  const next = answer.headers.get("X-List");
  if (!next) return draw(await answer.text());
  pop().hidePopover();
  const asked = new CustomEvent("list-address", { detail: next, bubbles: true, cancelable: true });
  if (pop().dispatchEvent(asked)) go(next);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-filter-open]");
  if (opener) {
    anchor = opener;
    pop().innerHTML = "";
    load();
    return;
  }
  const chip = event.target.closest("[data-chip]");
  if (chip) {
    anchor = chip.closest(".t-chip");
    pop().innerHTML = "";
    pop().showPopover();
    load(`&chip=${chip.dataset.chip}`);
    return;
  }
  const doer = event.target.closest("[data-do]")?.dataset.do;
  if (doer === "filter-formula") load("&chip=where");
  if (doer === "filter-fields") load();
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-filter-form]");
  if (form && event.target.matches("[data-redraw]")) send(form, null);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-filter-form]")) return;
  event.preventDefault();
  // Enter in a field means what the filled button says
  const submitter = event.submitter?.name === "drop" || event.submitter?.value === "or" ? event.submitter : event.target.querySelector('.btn-primary[name="do"]');
  send(event.target, submitter);
});

let timer = 0;
document.addEventListener("input", (event) => {
  const formula = event.target.closest("[data-formula]");
  const pick = event.target.closest("[data-filter-pick]");
  if (!formula && !pick) return;
  clearTimeout(timer);
  timer = setTimeout(() => (formula ? check(formula) : find(pick)), 250);
});

async function check(area) {
  const answer = await request(area.dataset.formula, { method: "POST", body: new URLSearchParams({ where: area.value }) });
  if (!answer.ok || !area.isConnected) return;
  const [fault] = await answer.json();
  const line = area.form.querySelector("[data-formula-fault]");
  line.hidden = !fault;
  area.classList.toggle("is-wrong", !!fault);
  if (fault) line.querySelector("span").textContent = fault.message;
}

async function find(input) {
  const box = input.closest(".t-filter-value").querySelector("[data-filter-picks]");
  const kept = [...box.querySelectorAll("input:checked")].map((each) => each.closest("label"));
  const { filterPick, path, row } = input.dataset;
  const answer = await request(`${filterPick}?${new URLSearchParams({ path, row, q: input.value })}`);
  if (!answer.ok || !input.isConnected) return;
  box.innerHTML = await answer.text();
  for (const label of kept.reverse()) {
    box.querySelector(`input[value="${CSS.escape(label.querySelector("input").value)}"]`)?.closest("label").remove();
    box.prepend(label);
  }
}
