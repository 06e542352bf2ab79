// Completion and explanation from the language's JSON Schemas, which the server derives from the same registries that check.
import { request } from "../lib/http.js";
import { placeAt } from "./place.js";

let words = null;

/** Fetch the schemas and the names of this tenant: entities, fields, roles, stages, … */
export async function loadWords(address) {
  try {
    const answer = await request(address);
    if (answer.ok) words = await answer.json();
  } catch { /* without them one types as in any editor */ }
}

function resolve(schema) {
  let it = schema;
  for (let n = 0; it?.$ref && n < 8; n++) it = words.definitions[it.$ref.replace("#/definitions/", "")];
  return it ?? {};
}

/** Every schema that a schema may mean, with what holds for the siblings that are there. */
function variants(schema, seen = {}, depth = 0) {
  const it = resolve(schema);
  if (depth > 6) return [it];
  const found = [it];
  for (const word of ["anyOf", "oneOf", "allOf"]) for (const one of it[word] ?? []) found.push(...variants(one, seen, depth + 1));
  if (it.if && it.then && holds(it.if, seen)) found.push(...variants(it.then, seen, depth + 1));
  return found;
}

function holds(condition, seen) {
  const wanted = Object.entries(condition.properties ?? {});
  return wanted.length > 0 && wanted.every(([key, one]) => one.const === seen[key] || one.enum?.includes(seen[key]));
}

function inner(schemas, step, seen) {
  const found = [];
  for (const schema of schemas) {
    if (step === "#") {
      if (schema.items) found.push(...variants(schema.items, seen));
    } else if (schema.properties?.[step]) found.push(...variants(schema.properties[step], seen));
    else if (schema.additionalProperties && typeof schema.additionalProperties === "object") found.push(...variants(schema.additionalProperties, seen));
  }
  return found;
}

function schemasAt(place) {
  const start = words.kinds[place.kind];
  if (!start) return [];
  let now = variants(start, place.path.length ? {} : place.seen);
  for (const [n, step] of place.path.entries()) now = inner(now, step, n === place.path.length - 1 ? place.seen : {});
  return now;
}

const FIELD_LISTS = new Set(["columns", "fields", "card", "quick_create", "highlights", "changed", "require", "per", "match"]);
const FIELD_WORDS = new Set(["field", "title", "key", "sort", "group", "start", "end", "color", "location", "after", "date", "linked", "phone", "merge"]);
const FORMULAS = new Set(["formula", "when", "filter", "check", "visible_when", "required_when", "readonly_when", "default", "rollup", "lookup", "where", "measures", "until", "met_when", "pause_when"]);
const NAMES = { roles: "roles", role: "roles", module: "modules", modules: "modules", choices: "choices", format: "formats", report: "reports", dashboard: "dashboards", run: "workflows", template: "emails", calendar: "calendars", stage: "stages", enter: "stages", pipeline: "pipelines", number: "reports", chart: "reports", table: "reports" };

function names(place) {
  const word = [...place.path].reverse().find((step) => step !== "#") ?? "";
  const before = [...place.path].reverse().filter((step) => step !== "#")[1] ?? "";
  const entity = words.entities[place.entity] ?? words.entities[place.kind === "entity" ? place.entity : ""] ?? null;
  const fields = () => Object.entries(entity?.fields ?? {}).map(([label, [detail, type]]) => ({ label, detail: `${detail} · ${type}`, type: "property" }));
  if (place.kind === "pipeline" && (word === "from" || word === "to")) return keys("stages");
  if (place.kind === "menu" && (word === "items" || before === "items")) return entities();
  if (FIELD_LISTS.has(word) || FIELD_WORDS.has(word)) return fields();
  if (FORMULAS.has(word)) return [...fields(), ...words.functions.map((label) => ({ label, type: "function", apply: `${label}(` }))];
  if (["to", "entity", "record", "part_of", "extends", "create", "before", "find"].includes(word)) return entities();
  return NAMES[word] ? keys(NAMES[word]) : [];
}

const entities = () => Object.entries(words.entities).map(([label, { label: detail }]) => ({ label, detail, type: "class" }));
const keys = (group) => Object.entries(words.names[group] ?? {}).map(([label, detail]) => ({ label, detail, type: "constant" }));

function values(place) {
  const found = new Map();
  const put = (label, more = {}) => found.has(String(label)) || found.set(String(label), { label: String(label), type: "enum", ...more });
  for (const schema of schemasAt(place)) {
    for (const one of schema.enum ?? []) if (one !== null) put(one);
    if (schema.const !== undefined) put(schema.const);
    if (schema.type === "boolean") ["true", "false"].forEach((one) => put(one));
    for (const one of schema.examples ?? []) put(one);
    const mapped = schema.properties ?? {};
    if (place.path.at(-1) === "#" && Object.keys(mapped).length) for (const key of Object.keys(mapped)) put(key, { type: "property", apply: `${key}: ` });
  }
  for (const one of names(place)) put(one.label, one);
  return [...found.values()];
}

function properties(place) {
  const found = new Map();
  for (const schema of schemasAt(place)) {
    for (const [label, given] of Object.entries(schema.properties ?? {})) {
      const about = resolve(given);
      if (found.has(label) || label in place.seen) continue;
      found.set(label, { label, type: "property", info: about.description, detail: kindOf(about), apply: `${label}: `, boost: schema.required?.includes(label) ? 2 : 0 });
    }
  }
  const above = place.path.at(-1);
  const entity = words.entities[place.entity];
  if (above === "fields" && place.kind === "entity" && entity) for (const [label, [detail]] of Object.entries(entity.fields)) found.set(label, { label, detail, type: "variable", apply: `${label}: ` });
  if (above === "grants") for (const one of entities()) found.set(one.label, { ...one, apply: `${one.label}: ` });
  if (above === "stages" && place.kind === "pipeline") for (const one of keys("stages")) found.set(one.label, { ...one, apply: `${one.label}: ` });
  if (above === "settings") for (const one of keys("settings")) found.set(one.label, { ...one, apply: `${one.label}: ` });
  if (above === "set" && entity) for (const [label, [detail]] of Object.entries(entity.fields)) found.set(label, { label, detail, type: "variable", apply: `${label}: ` });
  return [...found.values()];
}

function kindOf(schema) {
  if (schema.enum) return schema.enum.filter((one) => one !== null).slice(0, 4).join(" | ");
  if (schema.format === "formula") return "formula";
  if (Array.isArray(schema.type)) return schema.type[0];
  return schema.type === "object" ? "{…}" : schema.type === "array" ? "[…]" : (schema.type ?? "");
}

/** CodeMirror's source of completions. */
export function complete(context) {
  if (!words) return null;
  const word = context.matchBefore(/[\w.*$-]*/);
  if (!context.explicit && word.from === word.to && !/[:,[{] $/.test(context.state.sliceDoc(Math.max(0, context.pos - 2), context.pos))) return null;
  const place = placeAt(context.state.doc, context.pos);
  if (/^\s*#/.test(context.state.doc.lineAt(context.pos).text)) return null;
  let options;
  if (!place.kind || (place.isKey && !place.path.length && context.state.doc.lineAt(context.pos).number === firstLine(context))) options = Object.entries(words.kinds).map(([label, it]) => ({ label, type: "keyword", info: it.description, apply: `${label}: ` }));
  else options = place.isKey && place.path.at(-1) !== "#" ? properties(place) : place.isKey ? [...properties(place), ...values(place)] : values(place);
  return options.length ? { from: word.from, options, validFor: /^[\w.*$-]*$/ } : null;
}

function firstLine(context) {
  const { doc } = context.state;
  for (let n = doc.lineAt(context.pos).number; n > 1; n--) if (/^---/.test(doc.line(n - 1).text)) return n;
  return 1;
}

/** What a key under the pointer means. */
export function explain(view, pos) {
  if (!words) return null;
  const line = view.state.doc.lineAt(pos);
  const found = [...line.text.matchAll(/([\w.-]+)(?=:(?:\s|$))/g)].find((it) => line.from + it.index <= pos && pos <= line.from + it.index + it[1].length);
  if (!found) return null;
  const from = line.from + found.index;
  const place = placeAt(view.state.doc, from);
  const schemas = place.path.length || found.index ? inner(schemasAt({ ...place, seen: { ...place.seen } }), found[1], {}) : [words.kinds[found[1]]].filter(Boolean);
  const about = schemas.find((it) => it.description) ?? schemas[0];
  const field = words.entities[place.entity]?.fields[found[1]];
  if (!about?.description && !field && !about) return null;
  return {
    pos: from,
    end: from + found[1].length,
    create() {
      const dom = document.createElement("div");
      dom.className = "cm-t-info";
      const head = document.createElement("code");
      head.textContent = found[1];
      dom.append(head);
      for (const text of [field ? `${field[0]} · ${field[1]}` : "", about?.description ?? "", about ? kindOf(about) : ""].filter(Boolean)) {
        const p = document.createElement("p");
        p.textContent = text;
        dom.append(p);
      }
      return { dom };
    },
  };
}
