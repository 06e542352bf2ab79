// What a browser says of a field that is empty, or holds no address, is said in the page's language, not in the browser's.
import { text } from "./lib/text.js";

const told = new Set();

document.addEventListener("invalid", ({ target }) => {
  const said = target.validity.valueMissing ? "needed" : target.validity.typeMismatch && target.type === "email" ? "no-email" : "";
  if (!said) return;
  target.setCustomValidity(text(said));
  told.add(target);
}, true);
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, ({ target }) => {
    for (const each of told) {
      if (each.name !== target.name && each.isConnected) continue; // one of several to choose from stands for all
      each.setCustomValidity("");
      told.delete(each);
    }
  }, true);
}
