/** The page as a page: themes, phones, screen readers, other databases, and what happens when it is switched off. */
import assert from 'node:assert/strict';
import { findings, useBrowser } from './support.mjs';

const { consoleTest, gatewayTest } = useBrowser();

for (const colorScheme of ['light', 'dark']) {
  consoleTest(
    `axe finds nothing serious, ${colorScheme}`,
    async ({ ui, page }) => {
      const check = async (name) => assert.deepEqual(await findings(page), [], name);
      await check('at the start');
      await ui.run('MATCH (a)-[r]->(b) RETURN a, r, b, a.name AS name');
      await ui.settled();
      await ui.id('graph-node').first().click();
      for (const view of ['graph', 'table', 'json', 'raw', 'plan']) {
        await ui.id(`tab-${view}`).click();
        await check(view);
      }
      await ui.run('EXPLAIN MATCH (n) RETURN n');
      await check('a plan');
      await ui.id('params').fill('{');
      await check('wrong parameters');
      await ui.id('params').fill('');
      await ui.run('RETURN foo');
      await check('an error');
      await ui.id('tx-begin').click();
      await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'open');
      await check('a transaction');
      await ui.id('tx-rollback').click();
      await ui.id('help').click();
      await check('help');
      await page.keyboard.press('Escape');
      await ui.id('signin-open').click();
      await check('sign-in');
    },
    { colorScheme },
  );
}

consoleTest('the theme is the system’s until one is chosen', async ({ ui, page }) => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await ui.until(async () => (await theme()) === 'dark');
  const button = page.getByRole('button', { name: 'Theme' });
  await button.click();
  assert.equal(await theme(), 'light');
  await button.click();
  assert.equal(await theme(), 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.reload();
  await ui.ready();
  assert.equal(await theme(), 'dark');
});

consoleTest('help lists the keys, and Esc closes it', async ({ ui, page }) => {
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  assert.match(await dialog.innerText(), /Run the statement/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await ui.id('help').isVisible(), true);
});

consoleTest('the description of the API opens beside the console, by keyboard as well', async ({ ui, page }) => {
  const link = page.getByRole('link', { name: 'API, in a new tab' });
  await ui.id('signin-open').focus();
  await page.keyboard.press('Tab');
  assert.ok(await link.evaluate((element) => element === document.activeElement));
  const [opened] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
  const mistakes = [];
  opened.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()));
  await opened.getByRole('heading', { name: 'Boltgate API' }).waitFor();
  await opened.getByRole('heading', { level: 2 }).first().waitFor();
  assert.equal(new URL(opened.url()).pathname, '/docs');
  assert.deepEqual(mistakes, []);
});

consoleTest(
  'a phone has everything, and scrolls in one direction',
  async ({ ui, page }) => {
    const fits = async (state) => {
      const [width, wide] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
      assert.ok(wide <= width, `${state}: ${wide} > ${width}`);
      const small = await page.evaluate(() => {
        const targets = [...document.querySelectorAll('a, button, select, [role=tab], input:not([type=radio])')];
        const boxes = targets.map((target) => [target, target.getBoundingClientRect()]);
        const tiny = boxes.filter(([, { width, height }]) => width > 0 && (width < 24 || height < 24));
        return tiny.map(([target]) => target.outerHTML.slice(0, 120));
      });
      assert.deepEqual(small, [], state);
    };
    await fits('at the start');
    assert.ok(await ui.id('docs').isVisible());
    await ui.run('MATCH (a)-[r]->(b) RETURN a, r, b');
    await ui.settled();
    await ui.id('graph-node').first().click();
    for (const view of ['graph', 'table', 'json', 'raw', 'plan']) {
      await ui.id(`tab-${view}`).click();
      await fits(view);
    }
    await ui.run('RETURN foo');
    await fits('an error');
    await ui.id('signin-open').click();
    await fits('sign-in');
  },
  { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
);

const neo4j = process.env.BOLTGATE_TEST_NEO4J_BOLT;
gatewayTest(
  'Neo4j: rows, a graph, a plan that is counted, its databases',
  { args: ['--database-uri', neo4j ?? ''], skip: !neo4j },
  async ({ ui, page }) => {
    await ui.until(async () => (await ui.id('database').locator('option').allInnerTexts()).includes('system'));
    assert.equal(await ui.run('CREATE p = (:ConsoleA {name: "a"})-[:CONSOLE]->(:ConsoleB) RETURN p'), 'done');
    await ui.settled();
    assert.deepEqual(
      [await ui.attribute('graph', 'data-nodes'), await ui.attribute('graph', 'data-relationships')],
      ['2', '1'],
    );
    assert.match(await ui.id('status').innerText(), /2 nodes created · 1 relationship created/);
    await ui.run('MATCH (n:ConsoleA) RETURN n');
    await ui.settled();
    await ui.id('graph-node').click();
    await ui.id('expand').click();
    await ui.until(async () => (await ui.attribute('graph', 'data-nodes')) === '2');
    assert.equal(await ui.run('PROFILE MATCH (n:ConsoleA) DETACH DELETE n'), 'done');
    await page.getByRole('group', { name: 'Plan' }).getByText('database hits').first().waitFor();
    assert.equal(await ui.run('MATC (n) RETURN n'), 'error');
    assert.equal(await ui.id('editor').locator('.cm-mistake').innerText(), 'MATC');
    await ui.run('MATCH (n) WHERE n:ConsoleA OR n:ConsoleB DETACH DELETE n');
  },
);
