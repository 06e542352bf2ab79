// Files: chosen or dropped, sent at once, kept in the form as the names of what the server has stored.
import { $, $$, ask, icon, make, onContent, once } from "./util.js";
import { refuse } from "./quick.js";

onContent((root) => {
  for (const box of $$("[data-files]", root)) {
    if (!once(box, "files")) continue;
    const input = $("input[type=file]", box);
    const list = $("[data-file-list]", box);
    const wrong = $("[data-file-wrong]", box);
    const send = async (files) => {
      for (const file of files) {
        const limit = Number(box.dataset.max || 0);
        wrong.hidden = true;
        if (limit && file.size > limit) {
          wrong.textContent = box.dataset.tooBig.replace("{name}", () => file.name);
          wrong.hidden = false;
          continue;
        }
        const body = new FormData();
        body.append("file", file);
        box.setAttribute("aria-busy", "true");
        const { ok, data, status } = await ask(box.dataset.files, { method: "POST", body, accept: "application/json" });
        box.removeAttribute("aria-busy");
        if (!ok) {
          if (data?.message) { wrong.textContent = data.message; wrong.hidden = false; } else refuse(status);
          continue;
        }
        if (!("multiple" in box.dataset)) list.replaceChildren();
        list.append(make("li", { class: "t-file" }, icon("file", "icon-sm"), make("span", { class: "t-cut" }, data.name),
          make("span", { class: "t-3rd" }, data.shown), make("input", { type: "hidden", name: box.dataset.name, value: data.token }),
          make("button", { type: "button", class: "btn btn-quiet btn-icon btn-xs", "data-file-drop": true, "aria-label": `${box.dataset.remove} ${data.name}` }, icon("x", "icon-sm"))));
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
    };
    input?.addEventListener("change", (event) => {
      event.stopPropagation();
      send([...input.files]).then(() => { input.value = ""; });
    });
    box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("is-over"); });
    box.addEventListener("dragleave", () => box.classList.remove("is-over"));
    box.addEventListener("drop", (event) => { event.preventDefault(); box.classList.remove("is-over"); if (input && !input.disabled) send([...event.dataTransfer.files]); });
    box.addEventListener("click", (event) => {
      const drop = event.target.closest("[data-file-drop]");
      if (!drop) return;
      drop.closest("li").remove();
      box.dispatchEvent(new Event("change", { bubbles: true }));
      input?.focus();
    });
  }
});
