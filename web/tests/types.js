// Writes openapi.d.ts, the shapes of the committed API document, for `tsc`. It is made anew before every check and not committed, so that
// it cannot be older than the document; the page's `api.js` files take their types from it.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(await readFile(new URL("../../openapi/openapi.json", import.meta.url), "utf8"));
const { openapi, info, paths, components: { schemas } } = document;
const types = await openapiTS({ openapi, info, paths: {}, components: { schemas } }, { rootTypes: true, rootTypesNoSchemaPrefix: true, defaultNonNullable: false });

/** What is read at a path without parts to fill in, as a schema of the document. @param {string} path */
const read = (path) => paths[path].get?.responses[200]?.content?.["application/json"]?.schema.$ref?.split("/").pop();
const fixed = Object.keys(paths).filter((path) => !path.includes("{") && read(path));
const reads = fixed.map((path) => `  ${JSON.stringify(path)}: ${read(path)};`);
await writeFile(new URL("openapi.d.ts", import.meta.url), `// Written by types.js.\n${astToString(types)}\n/** What GET answers at each path that is whole as it stands. */\nexport interface Reads {\n${reads.join("\n")}\n}\n`);
