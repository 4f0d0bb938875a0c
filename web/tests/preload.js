// Names in index.html every module that app.js needs before it can draw, so that the browser fetches them at once and not one after the
// other as it reads them. `npm run preload` writes it; a test compares.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const STATIC = new URL("../static/", import.meta.url);
const PAGE = new URL("index.html", STATIC);

/** Modules that these import at their beginning, and those that they import, by their addresses. @param {string} entry */
async function needed(entry) {
  /** @type {Set<string>} */
  const found = new Set();
  const follow = async (/** @type {URL} */ url) => {
    const text = await readFile(url, "utf8");
    for (const [, name] of text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s*['"](\.[^'"]+)['"]/gm)) {
      const target = new URL(name, url);
      const address = `/assets/${target.href.slice(STATIC.href.length)}`;
      if (found.has(address)) continue;
      found.add(address);
      await follow(target);
    }
  };
  await follow(new URL(entry, STATIC));
  return [...found].sort();
}

/** The page as it is, and as it is to be. */
export async function preloaded() {
  const is = await readFile(PAGE, "utf8");
  const links = (await needed("js/app.js")).map((address) => `<link rel="modulepreload" href="${address}">\n`).join("");
  const lines = is.replace(/<link rel="modulepreload"[^\n]*\n/g, "");
  return { is, should: lines.replace('<script type="module"', `${links}<script type="module"`) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(PAGE, (await preloaded()).should);
