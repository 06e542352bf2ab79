// The entry: one import for each behaviour. A behaviour listens on the document, so that fragments that htmx brings need no set-up.
import "./htmx.js";
import "./csrf.js";
import "./theme.js";
import "./sidebar.js";
import "./menus.js";
import "./dialogs.js";
import "./toasts.js";
import "./confirm.js";
import "./print.js";
import "./password.js";
import "./connection.js";
import "./offline.js";
import "./live.js";
import "./lists/index.js";
import "./reports/index.js";
import "./dashboards/index.js";
import "./forms/index.js";
