// htmx, set up for a page without inline scripts and styles.
import htmx from "htmx.org";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0; // pages may hold what the next person at this browser must not see
htmx.config.scrollIntoViewOnBoost = false;
htmx.config.defaultFocusScroll = false;
// not "style": what a script has placed would be copied to its successor as an inline style, which our policy refuses
htmx.config.attributesToSettle = ["class", "width", "height"];
// a refused save brings the form and its errors as 200 with X-Refused (lib/http.js): it is shown like any other
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "[45]..", swap: false, error: true },
];

export { htmx };
