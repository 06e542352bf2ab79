// A point on the earth is where one stands: the browser is asked, and its person decides.
import { $, $$, onContent, once } from "./util.js";

const WAIT = 15_000; // for a fix
const DIGITS = 6; // of a degree: a hand's breadth

onContent((root) => {
  if (!navigator.geolocation) return;
  for (const button of $$("[data-position]", root)) {
    if (!once(button, "position")) continue;
    button.hidden = false;
    button.addEventListener("click", () => locate(button));
  }
});

function locate(button) {
  const group = button.closest("[role=group]");
  const wrong = $("[data-position-wrong]", group);
  wrong.hidden = true;
  button.disabled = true;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      button.disabled = false;
      for (const part of ["latitude", "longitude"]) {
        const box = $(`input[name$=".${part}"]`, group);
        box.value = String(Number(coords[part].toFixed(DIGITS)));
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
    },
    () => {
      button.disabled = false;
      wrong.textContent = wrong.dataset.positionWrong;
      wrong.hidden = false;
    },
    { enableHighAccuracy: true, timeout: WAIT, maximumAge: 0 },
  );
}
