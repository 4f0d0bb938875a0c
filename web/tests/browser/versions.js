// Versions to be promoted and compared, brought over HTTP.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OWNER_KEY } from "./stage.js";

/** A file of the repository. @param {string} path */
export const repositoryFile = (path) => new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url))));

/**
 * The server's own model with another class for each column: a version that is wrong nearly everywhere.
 * @param {import("./stage.js").Stage} stage @param {string} version
 */
export async function bringMislabelled(stage, version) {
  const form = new FormData();
  for (const [field, value] of Object.entries({ version, wait_s: "120", reason: "to be compared" })) form.append(field, value);
  for (const name of ["golden.json", "manifest.json", "model.onnx"]) {
    const bytes = repositoryFile(`models/heartbeat/${name}`);
    const content = name === "manifest.json" ? JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), labels: ["V", "S", "N", "F"] }) : bytes;
    form.append("file", new Blob([content]), name);
  }
  const answer = await fetch(`${stage.address}/v1/models/heartbeat/versions`, { method: "POST", headers: { "X-Api-Key": OWNER_KEY }, body: form });
  const made = await answer.json();
  assert.equal(made.phase?.state, "ready", JSON.stringify(made));
}

/** The files of the server's own model, as a browser sends them. */
export const heartbeatFiles = () => ["golden.json", "manifest.json", "model.onnx"].map((name) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(repositoryFile(`models/heartbeat/${name}`)) }));
