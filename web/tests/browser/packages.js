// Python environments that `cargo xtask setup python` makes: real servers of others, which these tests talk to.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The environment's Python. @param {string} variable that names the environment @param {string} name of it in the build folder, where the variable is not set */
export function python(variable, name) {
  const folder = process.env[variable] ?? fileURLToPath(new URL(`../../../target/${name}`, import.meta.url));
  const program = join(folder, "bin/python");
  assert.ok(existsSync(program), `there is no ${program}: run \`cargo xtask setup python\`, or let ${variable} name the environment`);
  return program;
}
