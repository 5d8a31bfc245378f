// What the checks stand on: gateways, servers of pages, one browser, and TAP lines.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium } from "playwright-core";

const PAGE = "<!doctype html><title>a page</title>";

// Only reached when something hangs.
const PATIENCE = 60_000;

let failures = 0;

// Runs a check and reports it; the others go on when it fails.
export async function check(name, work) {
  try {
    await work();
    console.log(`ok - ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`not ok - ${name}`);
    console.log(`# ${String(error.stack ?? error).split("\n").join("\n# ")}`);
  }
}

export function equal(actual, expected, what = "") {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`${what}: ${left} is not ${right}`);
}

// Waits until `look` gives something true.
export async function eventually(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// All that is started here ends with the run.
const endings = [];

export async function end() {
  for (const ending of endings.reverse()) await ending();
  process.exit(failures ? 1 : 0);
}

// A gateway in front of an embedded database, empty unless a flag fills it; gives its port.
export async function gateway(binary, settings, ...flags) {
  return (await start(binary, settings, ["--embedded", ...flags])).port;
}

// A gateway; gives its port, its process, and what its log says so far.
export async function start(binary, settings, database = ["--embedded"]) {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BOLTGATE_")));
  const arguments_ = ["serve", ...database, "--listen", "127.0.0.1:0"];
  const child = spawn(binary, arguments_, { env: { ...environment, ...settings }, stdio: ["ignore", "ignore", "pipe"] });
  endings.push(async () => {
    const ended = once(child, "exit");
    if (child.kill("SIGKILL")) await ended;
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => { log += text; });
  const port = await eventually("the gateway serves", () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended:\n${log}`);
    return Number(/serving https?:\/\/127\.0\.0\.1:(\d+)/.exec(log)?.[1]);
  });
  return { port, child, log: () => log };
}

// A site with the files of these folders, and an empty page for every other path; gives its port.
export async function site(...folders) {
  const server = createServer(async (request, response) => {
    const name = path.basename(new URL(request.url, "http://x").pathname);
    const found = folders.map((folder) => (name ? readFile(path.join(folder, name)).catch(() => null) : null));
    const file = (await Promise.all(found)).find((content) => content !== null);
    response.setHeader("Content-Type", name.endsWith("js") ? "text/javascript" : "text/html; charset=utf-8");
    response.end(file ?? PAGE);
  });
  return listen(server);
}

// What a name leads to that is rebound after its first page: that page, and then the gateway at `target`; gives its port.
export async function rebinding(target) {
  const server = createServer((request, response) => {
    if (request.url === "/attack.html") {
      response.setHeader("Content-Type", "text/html").end(PAGE);
      return;
    }
    const { method, url, headers } = request;
    const onward = forward({ host: "127.0.0.1", port: target, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward.on("error", () => response.destroy()));
  });
  return listen(server);
}

async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endings.push(() => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }));
  return server.address().port;
}

// Chromium with an empty profile, for which evil.example is this machine.
export async function browser(executablePath) {
  const profile = await mkdtemp(path.join(tmpdir(), "boltgate-browser-"));
  endings.push(() => rm(profile, { recursive: true, force: true }));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    // Some checks make their own certificate.
    ignoreHTTPSErrors: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP evil.example 127.0.0.1",
    ],
  });
  context.setDefaultTimeout(PATIENCE);
  endings.push(() => context.close());
  return context;
}

// An empty page at an address at which nobody has one, such as the gateway's own. Its requests are real.
export async function pageAt(context, address) {
  const page = await context.newPage();
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: PAGE }));
  await page.goto(address);
  return page;
}
