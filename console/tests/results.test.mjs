/** The views of a result, and the files with its rows. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { useBrowser } from './support.mjs';

const { consoleTest } = useBrowser();

const VALUES =
  'RETURN 1 AS n, 1.5 AS f, "text" AS t, null AS nothing, [1, "a"] AS list, {a: true} AS map, date("2026-02-28") AS d';

consoleTest('a table has its columns as headers', async ({ ui }) => {
  await ui.run(VALUES);
  await ui.id('tab-table').click();
  const table = ui.id('result-table');
  assert.deepEqual(await table.locator('th[scope=col]').allInnerTexts(), [
    'Row',
    'n',
    'f',
    't',
    'nothing',
    'list',
    'map',
    'd',
  ]);
  const cells = await table.locator('tbody td').allInnerTexts();
  assert.deepEqual(cells, ['1', '1', '1.5', 'text', 'null', '[1, "a"]', '{a: true}', '2026-02-28']);
});

consoleTest('a table without rows says so', async ({ ui }) => {
  await ui.run('MATCH (n:Nothing) RETURN n');
  assert.deepEqual(await ui.id('result-table').locator('th[scope=col]').allInnerTexts(), ['Row', 'n']);
  await ui.id('panel-table').getByText('The answer has no rows.').waitFor();
});

consoleTest('JSON is plain, raw is what came', async ({ ui }) => {
  await ui.run(VALUES);
  await ui.id('tab-json').click();
  const [row] = JSON.parse(await ui.id('panel-json').locator('pre').innerText());
  assert.deepEqual(row, { n: 1, f: 1.5, t: 'text', nothing: null, list: [1, 'a'], map: { a: true }, d: '2026-02-28' });
  await ui.id('tab-raw').click();
  const lines = (await ui.id('panel-raw').locator('pre').innerText()).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => line.$event),
    ['Header', 'Record', 'Summary'],
  );
  assert.deepEqual(lines[1]._body[0], { $type: 'Integer', _value: '1' });
});

consoleTest('a plan is drawn, also for a statement that was only written', async ({ ui, page }) => {
  await ui.run('EXPLAIN MATCH (n:Person) RETURN n');
  assert.equal(await ui.attribute('tab-plan', 'aria-selected'), 'true');
  await page.getByRole('group', { name: 'Plan' }).getByText('Project').first().waitFor();
  await ui.run('RETURN 1');
  await ui.write('MATCH (n:Film) RETURN n');
  await ui.id('tab-plan').click();
  await page.getByRole('button', { name: 'Explain this statement' }).click();
  await page.getByRole('group', { name: 'Plan' }).waitFor();
});

consoleTest('rows are saved as CSV and JSON', async ({ ui, page }) => {
  const saved = async (button) => {
    const [download] = await Promise.all([page.waitForEvent('download'), ui.id(button).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  };
  assert.ok(await ui.id('export-csv').isDisabled());
  await ui.run('UNWIND ["=1+1", "a,b", null, ""] AS text RETURN text, 9007199254740993 AS big');
  const csv =
    'text,big\r\n"\'=1+1",9007199254740993\r\n"a,b",9007199254740993\r\n,9007199254740993\r\n"",9007199254740993\r\n';
  assert.deepEqual(await saved('export-csv'), { name: 'result.csv', text: csv });
  const json = await saved('export-json');
  assert.equal(json.name, 'result.json');
  assert.ok(json.text.includes('{"text":null,"big":9007199254740993}'));
  assert.equal(JSON.parse(json.text).length, 4);
});
