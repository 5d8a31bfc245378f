/** Writing and running statements: what is shown while they run, and when they fail. */
import assert from 'node:assert/strict';
import { ask, LONG, running, useBrowser } from './support.mjs';

const { consoleTest, gatewayTest } = useBrowser();

consoleTest('the first visit leads to the console, and one click draws the graph', async ({ page, ui }) => {
  assert.match(page.url(), /\/console$/);
  assert.equal(await ui.attribute('identity', 'data-mode'), 'none');
  assert.equal(await ui.attribute('status', 'data-state'), 'idle');
  await page.getByRole('button', { name: 'See the graph' }).click();
  await ui.settled();
  assert.equal(await ui.attribute('graph', 'data-nodes'), '39');
});

consoleTest('a statement says how many rows it has, and how long it took', async ({ ui }) => {
  assert.equal(await ui.run('UNWIND range(1, 3) AS n RETURN n'), 'done');
  assert.match(await ui.id('status').innerText(), /^3 rows in \d+ ms$/);
  assert.equal(await ui.attribute('status', 'data-rows'), '3');
  assert.equal(await ui.run('CREATE (n:ConsoleTest {a: 1}) DELETE n'), 'done');
  assert.match(await ui.id('status').innerText(), /^0 rows in/);
});

consoleTest('rows are counted while they arrive, and the page answers meanwhile', async ({ page, ui }) => {
  await page.evaluate(() => {
    window.counts = new Set();
    const status = document.querySelector('[data-testid=status]');
    new MutationObserver(() => window.counts.add(status.dataset.rows)).observe(status, { attributes: true });
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ entryTypes: ['longtask'] });
  });
  assert.equal(await ui.run('UNWIND range(1, 20000) AS n RETURN n, "row " + toString(n) AS text'), 'done');
  assert.equal(await ui.attribute('status', 'data-rows'), '20000');
  await ui.id('tab-table').click();
  assert.equal(await ui.attribute('result-table', 'aria-rowcount'), '20001');
  // Only what is in sight is in the page.
  assert.ok((await ui.id('result-table').locator('tr').count()) < 200);
  await page.getByRole('region', { name: 'Rows' }).evaluate((region) => region.scrollTo(0, region.scrollHeight));
  await ui.id('result-table').getByText('row 20000', { exact: true }).waitFor();
  assert.ok(await page.evaluate(() => window.counts.size >= 1));
});

consoleTest('an error has its code, its message and its place', async ({ page, ui }) => {
  assert.equal(await ui.run('RETURN foo'), 'error');
  const error = await page.getByRole('alert').innerText();
  assert.match(error, /Neo\.ClientError\.Statement\.SyntaxError/);
  assert.match(error, /foo/);
  assert.equal(await ui.id('editor').locator('.cm-mistake').innerText(), 'foo');
  assert.equal(await ui.run('RETURN 1 AS foo'), 'done');
  assert.equal(await ui.id('error').count(), 0);
  // After the first rows, too.
  assert.equal(await ui.run('UNWIND [1, 0] AS x RETURN 1 / x'), 'error');
});

consoleTest('cancelling ends the statement in the database', async ({ page, ui, gateway }) => {
  for (const cancel of [() => ui.id('cancel').click(), () => page.keyboard.press('Escape')]) {
    await ui.write(LONG);
    await ui.id('run').click();
    assert.equal(await ui.attribute('status', 'data-state'), 'running');
    await ui.until(async () => (await running(gateway)) === 1);
    await cancel();
    assert.equal(await ui.ended(), 'cancelled');
    await ui.until(async () => (await running(gateway)) === 0);
    // Nobody has seen the end of it.
    const text = 'Cancelled after 0 rows · if it writes, its changes may have been made or not';
    await ui.id('status').getByText(text).waitFor();
    assert.equal(await ui.id('cancel').count(), 0);
  }
});

consoleTest('parameters are JSON, and are checked at once', async ({ page, ui }) => {
  await ui.id('params').fill('{"n": 9007199254740993, "list": ["a"]}');
  assert.equal(await ui.run('RETURN $n AS n, $list AS list'), 'done');
  await ui.id('tab-json').click();
  assert.match(await ui.id('panel-json').innerText(), /"n":9007199254740993,"list":\["a"\]/);
  for (const wrong of ['{', '[1]', '{"a": 1} x']) {
    await ui.id('params').fill(wrong);
    assert.equal(await ui.id('params-error').getAttribute('role'), 'alert');
    assert.ok(await ui.id('run').isDisabled());
    await page.keyboard.press('Control+Enter');
    assert.equal(await ui.attribute('status', 'data-state'), 'done');
  }
  await ui.id('params').fill('');
  assert.equal(await ui.id('params-error').count(), 0);
});

consoleTest('the keyboard is enough', async ({ page, ui }) => {
  await ui.editor.focus();
  await page.keyboard.type('RETURN 1 AS one');
  await page.keyboard.press('Control+Enter');
  assert.equal(await ui.ended(), 'done');
  for (const [i, view] of ['graph', 'table', 'json', 'raw', 'plan'].entries()) {
    await page.keyboard.press(`Alt+${i + 1}`);
    // A result without nodes has no graph to show.
    const shown = view === 'graph' ? 'table' : view;
    assert.equal(await ui.attribute(`tab-${shown}`, 'aria-selected'), 'true');
    assert.ok(await ui.id(`panel-${shown}`).isVisible());
  }
  await ui.run('RETURN 2 AS two');
  await ui.editor.focus();
  await page.keyboard.press('Control+ArrowUp');
  assert.equal(await ui.editor.innerText(), 'RETURN 2 AS two');
  await page.keyboard.press('Control+ArrowUp');
  assert.equal(await ui.editor.innerText(), 'RETURN 1 AS one');
  await page.keyboard.press('Control+ArrowDown');
  assert.equal(await ui.editor.innerText(), 'RETURN 2 AS two');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'params');
  // Arrows go from tab to tab.
  await ui.id('tab-raw').click();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'tab-json');
});

consoleTest('the names of the live schema are proposed and can be clicked', async ({ page, ui, gateway }) => {
  await ui.id('schema-label').first().waitFor();
  const texts = (name) => ui.id(name).allInnerTexts();
  assert.deepEqual(await texts('schema-label'), ['Account', 'Film', 'Person']);
  assert.ok((await texts('schema-type')).includes('ACTED_IN'));
  await ui.id('schema-key').first().waitFor();
  assert.ok((await texts('schema-key')).includes('born'));
  await ui.editor.focus();
  await page.keyboard.type('MATCH (n:Pe');
  await page.getByRole('option', { name: 'Person' }).click();
  assert.equal(await ui.editor.innerText(), 'MATCH (n:Person)');
  await ui.write('');
  await ui.id('schema-label').getByText('Film').click();
  assert.equal(await ui.editor.innerText(), 'MATCH (n:Film) RETURN n LIMIT 25');
  assert.equal(await ui.run('CREATE (:ConsoleTestLabel)'), 'done');
  await ui.id('schema-label').getByText('ConsoleTestLabel').waitFor();
  await ask(gateway, 'MATCH (n:ConsoleTestLabel) DELETE n');
});

consoleTest('the history is text, survives the page, and can be cleared', async ({ page, ui }) => {
  await ui.run('RETURN 1 AS first');
  await ui.run('RETURN 2 AS second');
  await page.reload();
  await ui.ready();
  assert.deepEqual(await ui.id('history-item').allInnerTexts(), ['RETURN 2 AS second', 'RETURN 1 AS first']);
  await ui.id('history-item').last().click();
  assert.equal(await ui.editor.innerText(), 'RETURN 1 AS first');
  await ui.id('history-clear').click();
  assert.equal(await ui.id('history-item').count(), 0);
  for (let i = 0; i < 3; i++) await ui.run(`RETURN ${i}`);
  const stored = await page.evaluate(() => JSON.parse(localStorage.getItem('boltgate.history')));
  assert.equal(stored.length, 3);
});

gatewayTest('a gateway that goes away is an error, and the statement stays', {}, async ({ ui, gateway }) => {
  await ui.write(LONG);
  await ui.id('run').click();
  await ui.until(async () => (await ui.attribute('status', 'data-state')) === 'running');
  await gateway.stop('SIGKILL');
  assert.equal(await ui.ended(), 'error');
  assert.match(await ui.id('error').innerText(), /cannot be reached|broke/);
  assert.equal(await ui.editor.innerText(), LONG);
  await ui.id('run').click();
  assert.equal(await ui.ended(), 'error');
});
