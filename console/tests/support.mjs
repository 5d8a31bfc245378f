/** What every test in a browser needs: a gateway, a page, and a watch over what the page does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startFront } from './front.mjs';

const BINARY = process.env.BOLTGATE_BINARY ?? fileURLToPath(new URL('../../target/debug/boltgate', import.meta.url));
/** Files of the page that are taken from there, and not from the gateway: a change of the page then needs no `cargo build`. */
const DIST = process.env.CONSOLE_DIST;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts a gateway. `settings` are environment variables without their prefix, such as `CONSOLE__ENABLED`. */
export async function startGateway(args = ['--embedded', '--sample'], settings = {}) {
  const env = { PATH: process.env.PATH };
  for (const [name, value] of Object.entries(settings)) env[`BOLTGATE_${name}`] = value;
  const gateway = spawn(BINARY, ['serve', '--listen', '127.0.0.1:0', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const url = await new Promise((resolve, reject) => {
    const read = (text) => {
      log += text;
      const found = /serving (http:\/\/[\d.:]+)/.exec(log);
      if (found) resolve(found[1]);
    };
    gateway.stdout.on('data', read);
    gateway.stderr.on('data', read);
    gateway.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${log}`)));
  });
  const front = DIST ? await startFront(url, DIST) : null;
  const stop = async (signal = 'SIGTERM') => {
    front?.stop();
    if (gateway.exitCode !== null || gateway.signalCode !== null) return;
    gateway.kill(signal);
    await once(gateway, 'exit');
  };
  return { url: front?.url ?? url, stop, pid: gateway.pid, log: () => log };
}

export function startBrowser(...options) {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...options] });
}

/** Opens the console in a context of its own. Whatever breaks the policy or leaves the gateway is remembered. */
export async function openConsole(browser, gateway, { path = '/', allowed = [], ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const strays = [];
  const origins = [new URL(gateway.url).origin, ...allowed];
  page.on('request', (request) => {
    const url = request.url();
    // What an issuer's own pages load is its own business.
    if (!request.frame().url().startsWith(gateway.url)) return;
    if (/^(data|blob|about):/.test(url) || origins.includes(new URL(url).origin)) return;
    strays.push(`request to ${url}`);
  });
  page.on('console', (message) => {
    const text = message.text();
    // Refused credentials and statements are answers like others, which Chromium mentions as errors.
    if (message.type() === 'error' && !/Failed to load resource/.test(text)) strays.push(text);
  });
  page.on('pageerror', (error) => strays.push(`error in the page: ${error.stack ?? error}`));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(
        `policy violated: ${event.violatedDirective} ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}:${event.columnNumber} ${event.target?.outerHTML?.slice(0, 200)}`,
      );
    });
  });
  await page.goto(gateway.url + path);
  page.setDefaultTimeout(20_000);
  return { context, page, strays, ui: new Ui(page) };
}

/** Waits for a condition. */
export async function until(condition) {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 25))) {
    if (await condition()) return;
  }
  assert.fail(`it has not come true: ${condition}`);
}

/** The console by its names. */
export class Ui {
  constructor(page) {
    this.page = page;
  }

  id(name) {
    return this.page.getByTestId(name);
  }

  get editor() {
    return this.id('editor').getByRole('textbox', { name: 'Cypher statement' });
  }

  /** Waits until somebody is signed in. */
  async ready() {
    await this.id('identity').waitFor();
  }

  async write(statement) {
    await this.editor.fill(statement);
  }

  /** Runs a statement and waits for its end. Returns the state in which it ended. */
  async run(statement) {
    await this.write(statement);
    await this.id('run').click();
    return this.ended();
  }

  async ended() {
    const status = this.id('status');
    await this.until(async () => ['done', 'error', 'cancelled'].includes(await status.getAttribute('data-state')));
    return status.getAttribute('data-state');
  }

  async settled() {
    await this.page.locator('[data-testid=graph][data-settled=true]').waitFor({ timeout: 30_000 });
  }

  async until(condition) {
    await until(condition);
  }

  async attribute(name, attribute) {
    return this.id(name).getAttribute(attribute);
  }
}

/** Runs `use` with an open console, and fails if the page has broken its policy or asked anybody else. */
export async function withConsole(browser, gateway, options, use) {
  const { context, page, strays, ui } = await openConsole(browser, gateway, options);
  try {
    if (!options.signedOut) await ui.ready();
    await use({ context, page, ui, gateway });
    assert.deepEqual(strays, []);
  } finally {
    await context.close();
  }
}

/**
 * Gives the tests of a file a browser, and a gateway with the sample graph that those share which change nothing in it. Each
 * starts when a test wants it, and stops after the last.
 */
export function useBrowser() {
  let [browser, shared] = [];
  after(async () => {
    await (await browser)?.close();
    await (await shared)?.stop();
  });

  /** Opens a console at a gateway. */
  const consoleAt = async (gateway, options, use) => {
    browser ??= startBrowser();
    await withConsole(await browser, gateway, options, use);
  };

  /** A test with a console at the shared gateway. */
  const consoleTest = (name, use, options = {}) =>
    test(name, async () => {
      shared ??= startGateway();
      await consoleAt(await shared, options, use);
    });

  /** A test with a console at a gateway of its own. */
  const gatewayTest = (name, { args, settings, skip, ...options }, use) =>
    test(name, { skip }, async () => {
      const gateway = await startGateway(args, settings);
      try {
        await consoleAt(gateway, options, use);
      } finally {
        await gateway.stop();
      }
    });

  return { consoleAt, consoleTest, gatewayTest };
}

/** Long enough for anybody to cancel it. */
export const LONG = 'UNWIND range(1, 30000) AS a UNWIND range(1, 10000) AS b RETURN count(*) AS n';

/** The number of statements that run at the gateway. */
export async function running(gateway) {
  const answer = await fetch(`${gateway.url}/db/neo4j/query/v2/running`);
  return (await answer.json()).running.length;
}

/** Sends a statement straight to the gateway, as somebody else would. */
export async function ask(gateway, statement, headers = {}) {
  const answer = await fetch(`${gateway.url}/db/neo4j/query/v2`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ statement }),
  });
  return answer.json();
}

let axe;

/** What axe finds serious. */
export async function findings(page) {
  axe ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  return serious.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`,
  );
}
