// The studio's pages: editing the configuration in the browser. Loaded there only.
import "./studio/studio.css";
import "./studio/publishing.js";
import "./studio/changing.js";
import { openEditor } from "./studio/editor.js";

const form = document.querySelector("[data-editor]");
if (form) openEditor(form);
