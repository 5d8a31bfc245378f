/** The main path in Firefox. FIREFOX names the program. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Firefox } from './firefox.mjs';
import { findings, LONG, running, startGateway, until } from './support.mjs';

const skip = !process.env.FIREFOX;
let [firefox, gateway] = [];
before(async () => {
  if (!skip) [firefox, gateway] = await Promise.all([Firefox.start(process.env.FIREFOX), startGateway()]);
});
after(async () => {
  await firefox?.stop();
  await gateway?.stop();
});

/** A test with a console in Firefox. It fails if the page breaks its policy, asks others, or reports an error. */
const firefoxTest = (name, use) =>
  test(`Firefox: ${name}`, { skip }, async () => {
    const ui = await firefox.open(gateway.url);
    try {
      await ui.find('identity', '[data-mode=none]');
      await use(ui);
      assert.deepEqual(ui.strays, []);
    } finally {
      await ui.close();
    }
  });

firefoxTest('the first visit leads to the console, and one click draws the graph', async (ui) => {
  assert.equal(ui.page.url(), `${gateway.url}/console`);
  await (await ui.page.waitForSelector('button::-p-text(See the graph)')).click();
  await ui.find('graph', '[data-nodes="39"][data-settled=true]');
  await ui.click('graph-node');
  await ui.find('inspector');
  await ui.click('expand');
  await ui.page.waitForSelector('[data-testid=graph] ::-p-text(neighbour)');
  assert.deepEqual(await findings(ui.page), []);
  await ui.click('tab-table');
  const rows = await (await ui.find('status')).evaluate((status) => Number(status.dataset.rows));
  await ui.find('result-table', `[aria-rowcount="${rows + 1}"]`);
  await ui.click('tab-json');
  assert.equal(JSON.parse(await ui.text('panel-json', ' pre')).length, rows);
});

firefoxTest('names are proposed, mistakes underlined, and statements kept', async (ui) => {
  await ui.find('schema-label');
  await ui.write('MATCH (n:Pe');
  await (await ui.inEditor('[role=option]::-p-text(Person)')).click();
  assert.equal(await ui.statement(), 'MATCH (n:Person)');
  await ui.run('RETURN foo', 'error');
  assert.match(await ui.text('error'), /Neo\.ClientError\.Statement\.SyntaxError/);
  const mistake = await ui.inEditor('.cm-mistake');
  assert.equal(await mistake.evaluate((element) => element.innerText), 'foo');
  await ui.run('RETURN "a,b" AS text, 1 AS n');
  assert.equal(await ui.saved('export-csv', 'result.csv'), 'text,n\r\n"a,b",1\r\n');
  await ui.page.reload();
  await ui.find('identity');
  assert.equal(await ui.text('history-item'), 'RETURN "a,b" AS text, 1 AS n');
  await ui.click('history-item');
  assert.equal(await ui.statement(), 'RETURN "a,b" AS text, 1 AS n');
});

firefoxTest('Esc cancels a statement, and the database ends it', async (ui) => {
  await ui.write(LONG);
  await ui.press('Control', 'Enter');
  await ui.find('status', '[data-state=running]');
  await until(async () => (await running(gateway)) === 1);
  await ui.press('Escape');
  await ui.find('status', '[data-state=cancelled]');
  await until(async () => (await running(gateway)) === 0);
});

firefoxTest('signing in with a password, and out', async (ui) => {
  await ui.click('signin-open');
  await ui.click('signin-mode-basic');
  await ui.type('signin-user', 'ada');
  await ui.type('signin-password', 'pass wörd');
  await ui.press('Enter');
  await ui.find('identity', '[data-mode=basic]');
  assert.equal(await ui.text('identity'), 'ada');
  await ui.run('RETURN 1');
  await ui.click('signout');
  await ui.find('identity', '[data-mode=none]');
});

firefoxTest('light, dark, and 360 pixels', async (ui) => {
  for (const theme of ['light', 'dark']) {
    await ui.click('theme');
    await ui.page.waitForSelector(`html[data-theme=${theme}]`);
    assert.deepEqual(await findings(ui.page), [], theme);
  }
  await ui.page.setViewport({ width: 360, height: 740 });
  await ui.run('MATCH (a)-[r]->(b) RETURN a, r, b');
  await ui.find('graph', '[data-settled=true]');
  assert.ok(await ui.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});
