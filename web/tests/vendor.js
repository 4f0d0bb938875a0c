// Copies the libraries of the page from their npm packages and writes vendor/VERSIONS.
//
// The policy of the page forbids inline scripts, and with them import maps, so that bare module names are rewritten to
// the files beside them; uPlot's small build is a plain script and gets the line that exports it. Those are the only
// changes; `unit/vendor.test.js` repeats them and compares.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const HERE = new URL("./", import.meta.url);
export const FOLDER = new URL("../static/vendor/", HERE);

/** What is taken: package, its file, the name here. */
const TAKEN = [
  ["preact", "dist/preact.mjs", "preact.mjs"],
  ["preact", "hooks/dist/hooks.mjs", "hooks.mjs"],
  ["htm", "dist/htm.mjs", "htm.mjs"],
  ["uplot", "dist/uPlot.iife.min.js", "uplot.mjs"],
  ["uplot", "dist/uPlot.min.css", "uplot.css"],
];

/** What a package's own script declares for the whole page, exported instead. */
const EXPORTED = new Map([["uplot.mjs", "uPlot"]]);

/** Bare module names and the files they become. */
const FILES = new Map([
  ["preact", "./preact.mjs"],
]);

/** @param {string} source */
function rewritten(source) {
  return source
    .replace(/\bfrom\s*"([^"./][^"]*)"/g, (whole, name) => {
      const file = FILES.get(name);
      if (!file) throw new Error(`the module ${name} is imported but not taken`);
      return whole.replace(name, file);
    })
    .replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
}

/** The files to be and the text of VERSIONS. */
export async function vendored() {
  /** @type {Map<string, string>} */
  const files = new Map();
  const lines = ["# file  package  version  licence  sha256 of the file here"];
  for (const [name, path, target] of TAKEN) {
    const folder = new URL(`node_modules/${name}/`, HERE);
    const about = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
    const exported = EXPORTED.get(target);
    const text = rewritten(await readFile(new URL(path, folder), "utf8")) + (exported ? `\nexport default ${exported};\n` : "");
    files.set(target, text);
    const digest = createHash("sha256").update(text).digest("hex");
    lines.push([target, name, about.version, about.license, digest].join("  "));
  }
  files.set("VERSIONS", lines.join("\n") + "\n");
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(FOLDER, { recursive: true });
  for (const [name, text] of await vendored()) await writeFile(new URL(name, FOLDER), text);
}
