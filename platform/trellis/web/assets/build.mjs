// Builds ../static/dist: one stylesheet, one entry of ES modules, fonts, images and the table of icons.
// Every name carries a hash of its content, so that browsers may keep the files for ever; manifest.json says which is which.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = import.meta.dirname;
const dist = join(here, "../static/dist");
const fresh = `${dist}.new-${process.pid}`;
const icons = join(here, "node_modules/@tabler/icons/icons");

/** The drawing inside an icon's SVG, on one line, without the invisible frame that Tabler puts first. */
function drawing(file) {
  const svg = readFileSync(file, "utf8");
  return svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/<path stroke="none"[^>]*\/>/, "")
    .replace(/\s*\n\s*/g, "")
    .replace(/ \/>/g, "/>");
}

/** `import plus from "icon:plus"` gives a module the icon's drawing. */
const iconPlugin = {
  name: "icon",
  setup(build) {
    build.onResolve({ filter: /^icon:/ }, ({ path }) => ({ path: path.slice(5), namespace: "icon" }));
    build.onLoad({ filter: /.*/, namespace: "icon" }, ({ path }) => ({
      contents: drawing(join(icons, `outline/${path}.svg`)),
      loader: "text",
    }));
  },
};

/** All of our stylesheets, after the libraries they build on: base first, the rest by name. */
function styles() {
  const own = readdirSync(join(here, "css")).filter((name) => name.endsWith(".css") && name !== "trellis.css").sort();
  const libraries = ["@fontsource-variable/inter/index.css", "@tabler/core/dist/css/tabler.min.css"];
  return [...libraries, ...["trellis.css", ...own].map((name) => `./css/${name}`)].map((name) => `@import "${name}";`).join("\n");
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });

const common = {
  bundle: true,
  minify: true,
  target: ["es2022", "chrome119", "firefox128", "safari17.4"],
  outdir: fresh,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  loader: { ".woff2": "file", ".svg": "file" },
  plugins: [iconPlugin],
};
const scripts = await esbuild.build({ ...common, format: "esm", splitting: true, sourcemap: false, entryPoints: [join(here, "js/main.js"), join(here, "js/worker.js"), join(here, "js/reference.js"), join(here, "js/studio.js")] });
const sheets = await esbuild.build({ ...common, stdin: { contents: styles(), resolveDir: here, loader: "css", sourcefile: "main.css" } });

const manifest = {};
for (const [path, output] of [...Object.entries(scripts.metafile.outputs), ...Object.entries(sheets.metafile.outputs)]) {
  const name = basename(path);
  if (output.entryPoint) manifest[basename(output.entryPoint)] = name;
  if (extname(name) === ".css") {
    const named = name.replace(/^stdin-/, "main-");
    if (named !== name) renameSync(join(fresh, name), join(fresh, named));
    manifest[`${named.replace(/-[^-]+$/, "")}.css`] = named;
  }
}

/** Puts a file that esbuild does not bundle beside the others, under a name with its hash. */
function put(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const [stem, ending] = [basename(name, extname(name)), extname(name)];
  manifest[name] = `${stem}-${hash}${ending}`;
  writeFileSync(join(fresh, manifest[name]), content);
}
put("logo.svg", readFileSync(join(here, "img/logo.svg")));
put("chevron.svg", readFileSync(join(here, "img/chevron.svg")));

// papers are drawn with these; browsers never load them
mkdirSync(join(fresh, "fonts"));
for (const name of ["400Regular", "600SemiBold"]) {
  const file = `NotoSansSC_${name}.ttf`;
  copyFileSync(join(here, "node_modules/@expo-google-fonts/noto-sans-sc", name, file), join(fresh, "fonts", file));
}

// the server draws icons into the page; a name that YAML gives is looked up here
const table = {};
for (const file of readdirSync(join(icons, "outline")).sort()) table[basename(file, ".svg")] = drawing(join(icons, "outline", file));
for (const file of readdirSync(join(icons, "filled")).sort()) table[`${basename(file, ".svg")}-filled`] = drawing(join(icons, "filled", file));
writeFileSync(join(fresh, "icons.json"), JSON.stringify(table));
writeFileSync(join(fresh, "manifest.json"), JSON.stringify(manifest, null, 1));

for (const file of readdirSync(fresh)) {
  if (![".css", ".js", ".svg"].includes(extname(file))) continue;
  const content = readFileSync(join(fresh, file));
  if (content.length < 1024) continue;
  writeFileSync(join(fresh, `${file}.gz`), gzipSync(content, { level: 9 }));
  writeFileSync(join(fresh, `${file}.br`), brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}

// swapped whole, so that a server that is running never sees half of it
rmSync(`${dist}.old`, { recursive: true, force: true });
try {
  renameSync(dist, `${dist}.old`);
} catch {
  // the first build
}
renameSync(fresh, dist);
rmSync(`${dist}.old`, { recursive: true, force: true });
console.log(`${relative(process.cwd(), dist)}: ${Object.keys(manifest).length} files, ${Object.keys(table).length} icons`);
