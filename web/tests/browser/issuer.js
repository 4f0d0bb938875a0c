// A real issuer of OpenID Connect: the one that the server's own tests use. Whoever comes is its one person, Ana.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { python } from "./packages.js";

const PROGRAM = fileURLToPath(new URL("../../../platform/auth/tests/python/issuer.py", import.meta.url));

/** @param {string} back the address that browsers are sent back to */
export async function issuer(back) {
  const folder = await mkdtemp(join(tmpdir(), "einthoven-issuer-"));
  const server = spawn(python("EINTHOVEN_ISSUER", "oidc-issuer"), ["-W", "ignore", PROGRAM, folder, back], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve) => createInterface({ input: server.stdout }).once("line", resolve));
  const close = async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { address: `http://127.0.0.1:${port}/o`, close };
}
