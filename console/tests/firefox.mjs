/** Drives Firefox by WebDriver BiDi, as `support.mjs` drives Chromium. The program is as its makers build it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { until } from './support.mjs';

export class Firefox {
  #browser;
  #downloads;

  static async start(executablePath) {
    const firefox = new Firefox();
    firefox.#downloads = await mkdtemp(join(tmpdir(), 'boltgate-firefox-'));
    const extraPrefsFirefox = { 'browser.download.folderList': 2, 'browser.download.dir': firefox.#downloads };
    firefox.#browser = await puppeteer.launch({ browser: 'firefox', executablePath, extraPrefsFirefox });
    return firefox;
  }

  async stop() {
    await this.#browser.close();
    await rm(this.#downloads, { recursive: true });
  }

  /** Opens a gateway's address in a context of its own. */
  async open(url) {
    const context = await this.#browser.createBrowserContext();
    const page = await context.newPage();
    const strays = watch(page, url);
    await page.evaluateOnNewDocument(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        console.error(`policy violated: ${violatedDirective} ${blockedURI}`);
      });
    });
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(url);
    return new FirefoxUi(page, strays, this.#downloads);
  }
}

/** Collects errors of a page, and what it asks others for. */
function watch(page, url) {
  const strays = [];
  page.on('request', (request) => {
    if (!/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(`${url}/`)) strays.push(request.url());
  });
  page.on('console', (message) => message.type() === 'error' && strays.push(message.text()));
  page.on('pageerror', (error) => strays.push(String(error)));
  return strays;
}

/** The console by its names. */
class FirefoxUi {
  constructor(page, strays, downloads) {
    Object.assign(this, { page, strays, downloads });
  }

  async close() {
    await this.page.browserContext().close();
  }

  /** Waits until it is there to be seen. `rest` of a selector says more of it. */
  async find(name, rest = '') {
    return this.page.waitForSelector(`[data-testid=${name}]${rest}`, { visible: true });
  }

  async click(name, rest) {
    await (await this.find(name, rest)).click();
  }

  async text(name, rest) {
    return (await this.find(name, rest)).evaluate((element) => element.innerText);
  }

  async type(name, text) {
    await (await this.find(name)).type(text);
  }

  /** The editor is in a shadow root. */
  async inEditor(selector) {
    return this.page.waitForSelector(`[data-testid=editor] >>> ${selector}`, { visible: true });
  }

  async statement() {
    return (await this.inEditor('.cm-content')).evaluate((element) => element.innerText);
  }

  /** Writes a statement with the keyboard, in place of what is there. */
  async write(statement) {
    await (await this.inEditor('.cm-content')).click();
    await this.press('Control', 'a');
    await this.page.keyboard.type(statement);
  }

  /** Presses keys that are held together. */
  async press(...keys) {
    const { keyboard } = this.page;
    for (const key of keys) await keyboard.down(key);
    for (const key of keys.reverse()) await keyboard.up(key);
  }

  /** Runs a statement and waits for its end. */
  async run(statement, state = 'done') {
    await this.write(statement);
    await this.press('Control', 'Enter');
    await this.find('status', `[data-state=${state}]`);
  }

  /** The text of a file that a button saves. */
  async saved(button, file) {
    await this.click(button);
    let text = '';
    await until(async () => (text = await readFile(join(this.downloads, file), 'utf8').catch(() => '')) !== '');
    return text;
  }
}
