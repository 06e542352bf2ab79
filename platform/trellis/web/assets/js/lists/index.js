// Lists, boards, search and keys.
import "./nav.js";
import "./grid.js";
import "./bin.js";
import "./selection.js";
import "./filters.js";
import "./columns.js";
import "./widths.js";
import "./peek.js";
import "./board.js";
import "./palette.js";
import "./keys.js";
import "./upload.js";
