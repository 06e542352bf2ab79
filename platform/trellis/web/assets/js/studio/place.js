// Where in a document a place of the text is: the kind, the path of keys down to it, and what is being written there.

/** The document's lines before the place: from the last `---` on. */
function documentBefore(doc, at) {
  const here = doc.lineAt(at);
  const lines = [];
  for (let n = here.number; n >= 1; n--) {
    const text = doc.line(n).text;
    if (n !== here.number && /^---(\s|$)/.test(text)) break;
    lines.unshift(n === here.number ? text.slice(0, at - here.from) : text);
    if (n === here.number && /^---(\s|$)/.test(text)) return [""];
  }
  return lines;
}

const KEY = /^(\s*)((?:- +)*)(?:"([^"]+)"|'([^']+)'|([\w.$*<>-]+)):(?=\s|$)/;

function parse(line) {
  const found = KEY.exec(line);
  if (!found) return null;
  return { indent: found[1].length + found[2].length, items: (found[2].match(/-/g) ?? []).length, at: found[1].length, key: found[3] ?? found[4] ?? found[5], rest: line.slice(found[0].length) };
}

/** The brackets that are open at the end of a text that begins with a value: [{open, key, word}]. */
function brackets(text) {
  const stack = [];
  let word = "";
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote) {
      if (c === quote) quote = "";
      word += c;
    } else if ((c === '"' || c === "'") && !word.trim()) {
      quote = c;
      word += c;
    } else if ((c === "{" || c === "[") && !word.trim()) {
      stack.push({ open: c, key: null, seen: {} });
      word = "";
    } else if (stack.length && (c === "}" || c === "]")) {
      stack.pop();
      word = " ";
    } else if (stack.length && c === ",") {
      const top = stack.at(-1);
      if (top.key) top.seen[top.key] = word.trim();
      top.key = null;
      word = "";
    } else if (stack.length && c === ":" && stack.at(-1).open === "{" && (text[i + 1] === undefined || /\s/.test(text[i + 1]))) {
      stack.at(-1).key = word.trim().replace(/^["']|["']$/g, "");
      word = "";
    } else if (c === "#" && /\s/.test(text[i - 1] ?? " ") && !stack.length) break;
    else word += c;
  }
  return { stack, word, quote };
}

/** {kind, path, isKey, word, seen, entity}: `path` ends where the key or value is being written. */
export function placeAt(doc, at) {
  const lines = documentBefore(doc, at);
  const first = lines.map((text) => parse(text)).find((it) => it && it.indent === 0);
  const entity = lines.map((text) => /^(?:entity|record):\s*([\w-]+)/.exec(text)?.[1]).find(Boolean);
  let last = lines.length - 1;
  // a value in brackets may have begun lines above
  let start = last;
  let inside = { stack: [], word: "" };
  for (let n = last; n >= Math.max(0, last - 40); n--) {
    const key = parse(lines[n]);
    const item = /^\s*- +(?=[[{])/.exec(lines[n]);
    if (!key && !item) continue;
    const text = [key ? key.rest : lines[n].slice(item[0].length), ...lines.slice(n + 1)].join("\n");
    const found = brackets(text);
    if (found.stack.length) [start, inside] = [n, found];
    if (found.stack.length || n < last) break;
  }
  const path = [];
  const seen = {};
  const line = lines[start];
  const own = parse(line);
  let indent;
  let isKey;
  let word;
  if (inside.stack.length) {
    const item = /^(\s*)((?:- +)+)(?=[[{])/.exec(line);
    if (own) path.unshift(...own.items ? ["#"] : [], own.key);
    else if (item) path.unshift("#");
    indent = own ? own.at : (item?.[1].length ?? 0);
    for (const [n, it] of inside.stack.entries()) {
      if (it.open === "[") path.push("#");
      else if (it.key !== null) path.push(it.key);
      if (n === inside.stack.length - 1) Object.assign(seen, it.seen);
    }
    const top = inside.stack.at(-1);
    isKey = top.open === "{" && top.key === null;
    word = inside.word.trimStart();
    if (own?.items && path[0] === "#" && path[1] !== own.key) path.splice(1, 0, own.key);
  } else if (own && own.rest !== undefined && /^\s/.test(`${own.rest} `) && line.slice(0, line.length - own.rest.length).endsWith(":") && own.rest.length) {
    path.unshift(...(own.items ? ["#"] : []), own.key);
    indent = own.at;
    isKey = false;
    word = own.rest.trimStart();
  } else {
    const plain = /^(\s*)((?:- +)*)(.*)$/.exec(line);
    indent = plain[1].length + plain[2].length;
    isKey = true;
    word = plain[3];
    if (plain[2]) {
      path.unshift("#");
      indent = plain[1].length;
    }
  }
  for (let n = start - 1; n >= 0 && indent > 0; n--) {
    if (!lines[n].trim() || /^\s*#/.test(lines[n])) continue;
    const it = parse(lines[n]);
    const dash = /^(\s*)- /.exec(lines[n]);
    if (it && it.indent < indent) {
      path.unshift(...(it.items ? ["#"] : []), it.key);
      indent = it.at;
    } else if (dash && dash[1].length < indent && dash[1].length + 2 >= indent) {
      if (it && it.indent === indent) seen[it.key] = it.rest.trim();
      path.unshift("#");
      indent = dash[1].length;
    } else if (it && it.indent === indent && !inside.stack.length) seen[it.key] = it.rest.trim();
  }
  // a list may stand at the very indentation of its key
  if (path[0] === "#" && indent === 0) {
    const key = lines.slice(0, start).reverse().map((text) => parse(text)).find((it) => it && it.at === 0 && !it.items);
    if (key) path.unshift(key.key);
  }
  return { kind: first?.key, path, isKey, word, seen, entity: entity ?? null };
}
