// The product and a browser, started for the tests of one file and stopped after them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PROGRAM = process.env.EINTHOVEN_BIN;
const SHOTS = process.env.SCREENSHOTS;
/** A folder to take the page's files from, so that an edit is seen without a build. */
const PAGE = process.env.EINTHOVEN_PAGE;
const KINDS = /** @type {Record<string, string>} */ ({ html: "text/html; charset=utf-8", js: "text/javascript", mjs: "text/javascript", css: "text/css", svg: "image/svg+xml" });
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** @param {string} name a file of the records that the binary carries as samples */
export const record = (name) => fileURLToPath(new URL(`../../../platform/server/samples/${name}`, import.meta.url));

/** The owner's key of the server, and who works at the page. */
export const OWNER_KEY = "the-owners-key-in-tests";
export const PERSON = { name: "ana", password: "a password that is long" };

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Pages by their addresses. @type {Record<string, string>} */
const PAGES = { "/": "index.html", "/docs": "reference.html" };

/** Answers for the page's files from the folder PAGE; the program's own headers, and with them its policy, stay. @param {import("playwright-core").BrowserContext} context */
export async function fromFolder(context) {
  if (!PAGE) return;
  await context.route((url) => url.pathname in PAGES || url.pathname.startsWith("/assets/"), async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = PAGES[pathname] ?? pathname.slice("/assets/".length);
    const body = await readFile(join(PAGE, name)).catch(() => null);
    const answer = await route.fetch().catch(() => null);
    if (!answer || !body) return route.abort();
    const { etag, "content-encoding": encoding, "content-length": length, ...headers } = answer.headers();
    return route.fulfill({ status: 200, headers: { ...headers, "content-type": KINDS[name.split(".").at(-1) ?? ""] }, body });
  });
}

export class Stage {
  /** @param {string} address @param {import("playwright-core").Browser} browser @param {string} data @param {number} port @param {string[]} settings */
  constructor(address, browser, data, port, settings) {
    this.settings = settings;
    this.address = address;
    this.browser = browser;
    this.data = data;
    this.port = port;
    /** @type {import("node:child_process").ChildProcess | null} */
    this.server = null;
  }

  /** @param {...string} settings further arguments of the server */
  static async open(...settings) {
    assert.ok(PROGRAM, "EINTHOVEN_BIN must name the built program");
    const data = await mkdtemp(join(tmpdir(), "einthoven-page-"));
    const port = await freePort();
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
    const stage = new Stage(`http://127.0.0.1:${port}`, browser, data, port, settings);
    await stage.startServer();
    const headers = { "X-Api-Key": OWNER_KEY, "Content-Type": "application/json" };
    const added = await fetch(`${stage.address}/v1/users`, { method: "POST", headers, body: JSON.stringify({ ...PERSON, roles: ["viewer"] }) });
    assert.equal(added.status, 201, await added.text());
    return stage;
  }

  async startServer() {
    const env = { ...process.env, EINTHOVEN_OWNER_KEY: OWNER_KEY };
    this.server = spawn(String(PROGRAM), ["serve", "--listen", `127.0.0.1:${this.port}`, "--data", this.data, ...this.settings], { stdio: "ignore", env });
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      const answer = await fetch(`${this.address}/v1/health/live`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      if (answer?.ok) return;
      await pause(100);
    }
    throw new Error("the server did not answer within a minute");
  }

  async stopServer() {
    const server = this.server;
    this.server = null;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
  }

  /**
   * A page on the first visit of somebody. `close` fails if the console had an error or the policy was violated.
   * @param {import("playwright-core").BrowserContextOptions} [options] @param {{name: string, password: string} | false} [person] false for nobody @param {string} [hash] where the visit begins
   */
  async visit(options = {}, person = PERSON, hash = "") {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    await fromFolder(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    /** @type {string[]} */
    const faults = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      // The browser itself logs every answer of 4xx; what the page makes of them is asserted where it matters.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) faults.push(message.text());
    });
    if (person) {
      const entered = await context.request.post(`${this.address}/v1/auth/session`, { data: person });
      assert.equal(entered.status(), 201, await entered.text());
    }
    await page.goto(`${this.address}/${hash}`);
    const close = async () => {
      await context.close();
      assert.deepEqual(faults, [], "errors in the console or violations of the policy");
    };
    return { page, close };
  }

  async close() {
    await this.browser.close();
    await this.stopServer();
    await rm(this.data, { recursive: true, force: true });
  }
}

/** Chooses files as a person does with the file dialogue. @param {import("playwright-core").Page} page @param {any} files */
export async function choose(page, files) {
  const [dialogue] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose files" }).click()]);
  await dialogue.setFiles(files);
}

/** The trace of a result, once its signal is drawn. @param {import("playwright-core").Page} page */
export async function trace(page) {
  const canvas = page.getByRole("img", { name: /^ECG trace/ });
  await canvas.waitFor();
  await page.waitForLoadState("networkidle");
  return canvas;
}

/** Keeps a picture where SCREENSHOTS names a folder. @param {import("playwright-core").Page} page @param {string} name @param {boolean} [whole] */
export async function shot(page, name, whole = false) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  if (whole) await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: whole });
}

/**
 * The device pixels of the canvas that have the colour of the trace, as the lowest and highest row of each column.
 * @param {import("playwright-core").Locator} canvas
 * @returns {Promise<{ratio: number, columns: ({top: number, bottom: number} | null)[]}>}
 */
export function inked(canvas) {
  return canvas.evaluate((element) => {
    const picture = /** @type {HTMLCanvasElement} */ (element);
    const ratio = picture.width / picture.clientWidth;
    const data = picture.getContext("2d")?.getImageData(0, 0, picture.width, picture.height).data;
    /** @type {({top: number, bottom: number} | null)[]} */
    const columns = [];
    for (let x = 0; data && x < picture.width; x += 1) {
      /** @type {{top: number, bottom: number} | null} */
      let found = null;
      // The ruler's ticks stand in the lowest 20 pixels, the letters in the highest 30.
      for (let y = Math.round(30 * ratio); y < picture.height - 20 * ratio; y += 1) {
        const at = 4 * (y * picture.width + x);
        if (Math.max(data[at], data[at + 1], data[at + 2]) < 90) found = /** @type {any} */ ({ top: /** @type {any} */ (found)?.top ?? y, bottom: y });
      }
      columns.push(found);
    }
    return { ratio, columns };
  });
}
