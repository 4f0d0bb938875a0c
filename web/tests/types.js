// Writes openapi.d.ts, the shapes of the committed API document, for `tsc`. It is made anew before every check and not committed, so that
// it cannot be older than the document; the page's `api.js` files take their types from it.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(await readFile(new URL("../../openapi/openapi.json", import.meta.url), "utf8"));
// Of the paths only what they carry is used.
const { openapi, info, components: { schemas } } = document;
const types = await openapiTS({ openapi, info, paths: {}, components: { schemas } }, { rootTypes: true, rootTypesNoSchemaPrefix: true, defaultNonNullable: false });
await writeFile(new URL("openapi.d.ts", import.meta.url), `// Written by types.js.\n${astToString(types)}`);
