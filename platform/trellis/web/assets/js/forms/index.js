// Forms, record pages and editing in place.
import "./picker.js";
import "./quick.js";
import "./form.js";
import "./inline.js";
import "./lines.js";
import "./rows.js";
import "./via.js";
import "./address.js";
import "./position.js";
import "./dates.js";
import "./files.js";
import "./moves.js";
import "./record.js";
import "./past.js";
import "./deletion.js";
import "./rich.js";
import "./mention.js";
import { start } from "./util.js";

export { edit } from "./inline.js";
export { move } from "./moves.js";
export { openQuick } from "./quick.js";

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
