// Rich text: bold, italic, a list and a link over an editable region. The textarea stays as the holder of the value, which
// the server sanitises; what is pasted comes in as plain text.
import { $, make, onContent, once, $$ } from "./util.js";
import { icon } from "../lib/icon.js";
import bold from "icon:bold";
import italic from "icon:italic";
import link from "icon:link";
import list from "icon:list";

const TOOLS = [["bold", bold], ["italic", italic], ["insertUnorderedList", list], ["createLink", link]];

function mount(box) {
  const area = $("textarea", box);
  const { id } = area;
  area.id = `${id}-v`;
  area.hidden = true;
  const open = () => !area.readOnly;
  const page = make("div", {
    id, class: `form-control t-rich-page t-prose ${area.classList.contains("is-wrong") ? "is-wrong" : ""}`, contenteditable: String(open()),
    role: "textbox", "aria-multiline": "true", dir: "auto", "aria-labelledby": `${id}-l`,
    "aria-describedby": area.getAttribute("aria-describedby"), "aria-invalid": area.getAttribute("aria-invalid"),
    "aria-required": area.required ? "true" : null,
  });
  area.required = false;
  page.innerHTML = area.value;
  const keep = () => {
    area.value = page.textContent.trim() || page.querySelector("img") ? page.innerHTML : "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const run = (command) => {
    page.focus();
    if (command !== "createLink") document.execCommand(command);
    else {
      const address = prompt(box.dataset.address, "https://");
      if (address && /^(https?:|mailto:|tel:)/i.test(address)) document.execCommand("createLink", false, address);
    }
    keep();
  };
  const labels = JSON.parse(box.dataset.tools);
  const bar = make("div", { class: "t-rich-bar", role: "toolbar", "aria-label": box.dataset.label, "aria-controls": id },
    ...TOOLS.map(([command, drawing], at) => make("button", {
      type: "button", class: "btn btn-quiet btn-icon btn-xs", "aria-label": labels[at], title: labels[at],
      onclick: () => run(command), onmousedown: (event) => event.preventDefault(),
    }, icon(drawing, "icon-sm"))));
  page.addEventListener("input", (event) => { event.stopPropagation(); keep(); });
  page.addEventListener("paste", (event) => {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  });
  new MutationObserver(() => {
    page.contentEditable = String(open());
    page.setAttribute("aria-readonly", String(!open()));
  }).observe(area, { attributes: true, attributeFilter: ["readonly"] });
  if (!open()) page.setAttribute("aria-readonly", "true");
  page.tabIndex = 0;
  box.append(bar, page);
}

onContent((root) => {
  for (const box of $$("[data-rich]", root)) if (once(box, "rich")) mount(box);
});
