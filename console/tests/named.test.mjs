/** Named queries, for those who may not send statements of their own. The queries are in `named/`. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ask, findings, useBrowser } from './support.mjs';

const { gatewayTest } = useBrowser();

const settings = {
  CYPHER__ALLOW: 'user:ada',
  NAMED__DIRECTORY: fileURLToPath(new URL('named', import.meta.url)),
};
const asAda = { Authorization: `Basic ${btoa('ada:')}` };

/** Chooses a query. Returns its form. */
async function choose({ ui, page }, name, title = name) {
  await ui.id('named').selectOption(name);
  const form = page.getByRole('form', { name: title });
  await form.waitFor();
  return form;
}

async function call(ui) {
  await ui.id('run').click();
  return ui.ended();
}

gatewayTest('those that one may call are listed, in place of the editor', { settings }, async ({ ui, page }) => {
  await page.getByRole('region', { name: 'Named queries' }).waitFor();
  await ui.id('named').waitFor();
  assert.deepEqual(await ui.id('named').locator('option').allInnerTexts(), [
    'Who made a film (around-a-film)',
    'divide',
    'Rate a film (rate)',
  ]);
  for (const absent of ['editor', 'params', 'schema', 'history']) assert.equal(await ui.id(absent).count(), 0);
  assert.deepEqual(await findings(page), []);
});

gatewayTest('a form with a text, a choice and a default gives a graph', { settings }, async ({ ui, page }) => {
  const form = await choose({ ui, page }, 'around-a-film', 'Who made a film');
  const most = form.getByRole('textbox', { name: 'most' });
  assert.equal(await most.getAttribute('placeholder'), '4');
  assert.match(await form.innerText(), /most optional\s+1 to 100/);
  const part = form.getByRole('combobox', { name: 'part' });
  assert.deepEqual(await part.locator('option').allInnerTexts(), ['', 'ACTED_IN', 'DIRECTED']);
  // What is required is asked for before anything is sent.
  await ui.id('run').click();
  assert.equal(await ui.attribute('status', 'data-state'), 'idle');
  await form.getByRole('textbox', { name: 'title' }).fill('Casablanca');
  await part.selectOption('ACTED_IN');
  assert.equal(await call(ui), 'done');
  await ui.settled();
  const drawn = async () => [
    await ui.attribute('graph', 'data-nodes'),
    await ui.attribute('graph', 'data-relationships'),
  ];
  assert.deepEqual(await drawn(), ['5', '4']);
  // Neighbours would take a statement.
  await ui.id('graph-node').first().click();
  await ui.id('inspector').waitFor();
  assert.equal(await ui.id('expand').count(), 0);
  assert.deepEqual(await findings(page), []);
  await most.fill('2');
  await most.press('Control+Enter');
  await ui.until(async () => (await drawn()).join() === '3,2');
});

gatewayTest('a query that writes, writes', { settings }, async ({ ui, page, gateway }) => {
  const form = await choose({ ui, page }, 'rate', 'Rate a film');
  assert.match(await page.getByRole('region', { name: 'Named queries' }).innerText(), /It changes data\./);
  const stars = async () =>
    (await ask(gateway, 'MATCH (f:Film {title: "M"}) RETURN f.stars, f.comment', asAda)).data.values;
  await form.getByRole('textbox', { name: 'title' }).fill('M');
  await form.getByRole('textbox', { name: 'stars' }).fill('5');
  assert.equal(await call(ui), 'done');
  assert.deepEqual(await stars(), [[5, null]]);
  await form.getByRole('textbox', { name: 'comment' }).fill('12');
  assert.equal(await call(ui), 'done');
  assert.deepEqual(await stars(), [[5, '12']]);
  const cells = await ui.id('result-table').locator('tbody td').allInnerTexts();
  assert.deepEqual(cells, ['1', 'M', '5', '12']);
});

gatewayTest('what is refused is said as the gateway says it, all at once', { settings }, async ({ ui, page }) => {
  const form = await choose({ ui, page }, 'rate', 'Rate a film');
  const [title, stars, comment] = ['title', 'stars', 'comment'].map((name) => form.getByRole('textbox', { name }));
  await title.fill('M');
  await stars.fill('9');
  await comment.fill('more than twenty characters');
  assert.equal(await call(ui), 'error');
  const text = await ui.id('error').innerText();
  assert.match(text, /Neo\.ClientError\.Statement\.ArgumentError/);
  assert.match(text, /The parameter `stars` is out of bounds: 9 is more than 5\./);
  assert.match(text, /The parameter `comment` is out of bounds: 27 characters, but at most 20/);
  assert.deepEqual(await Promise.all([title, stars, comment].map((field) => field.getAttribute('aria-invalid'))), [
    'false',
    'true',
    'true',
  ]);
  assert.deepEqual(await findings(page), []);
  // What is not even JSON is not sent.
  await stars.fill('many');
  await ui.id('run').click();
  assert.equal(await form.getByRole('alert').innerText(), 'stars takes an integer, such as 10.');
});

gatewayTest('integers keep their digits, and the database’s errors are shown', { settings }, async ({ ui, page }) => {
  const form = await choose({ ui, page }, 'divide');
  const by = form.getByRole('textbox', { name: 'by' });
  await by.fill('9007199254740993');
  assert.equal(await call(ui), 'done');
  const cells = await ui.id('result-table').locator('tbody td').allInnerTexts();
  assert.deepEqual(cells, ['1', '1', '9007199254740993', 'null']);
  // A choice that may be null can be left out; one with a default is made.
  const choices = (name) => form.getByRole('combobox', { name });
  assert.deepEqual(await choices('kind').locator('option').allInnerTexts(), ['', 'a', 'b']);
  assert.deepEqual(await choices('sign').locator('option').allInnerTexts(), ['1', '-1']);
  assert.equal(await choices('sign').inputValue(), '1');
  await choices('sign').selectOption('-1');
  await choices('kind').selectOption('b');
  await by.fill('1');
  assert.equal(await call(ui), 'done');
  assert.deepEqual(await ui.id('result-table').locator('tbody td').allInnerTexts(), [
    '1',
    '-9007199254740993',
    '1',
    'b',
  ]);
  await by.fill('0');
  assert.equal(await call(ui), 'error');
  assert.match(await ui.id('error').innerText(), /Neo\.ClientError\.Statement\.ArithmeticError\s+\/ by zero/);
});

gatewayTest('who may write statements gets the editor back', { settings }, async ({ ui }) => {
  await ui.id('named').waitFor();
  await ui.id('signin-open').click();
  await ui.id('signin-mode-basic').check();
  await ui.id('signin-user').fill('ada');
  await ui.id('signin-submit').click();
  await ui.id('editor').waitFor();
  await ui.id('schema-label').first().waitFor();
  assert.equal(await ui.run('RETURN 1'), 'done');
  await ui.id('signout').click();
  await ui.id('named').waitFor();
  assert.equal(await ui.id('editor').count(), 0);
});

gatewayTest('where no query is shared, that is said', { settings: { CYPHER__ALLOW: 'user:ada' } }, async ({ page }) => {
  await page.getByText('no query is shared with you').waitFor();
});
