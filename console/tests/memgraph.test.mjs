/**
 * In front of Memgraph. `BOLTGATE_TEST_CONSOLE_MEMGRAPH` is the address of a gateway whose database is the stand-in for it,
 * and `BOLTGATE_TEST_CONSOLE_MEMGRAPH_WITH_USERS` that of another one, where Ada has the password `secret`.
 * `tests/databases/console.rs` starts them, and runs this.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from './support.mjs';

const url = process.env.BOLTGATE_TEST_CONSOLE_MEMGRAPH;

const { consoleAt } = useBrowser();
const memgraphTest = (name, use) => test(`Memgraph: ${name}`, { skip: !url }, () => consoleAt({ url }, {}, use));

/** The texts of all that have this name. */
const texts = (ui, name) => ui.id(name).allInnerTexts();

memgraphTest('its names, databases and functions', async ({ ui, page }) => {
  await ui.id('schema-key').first().waitFor();
  assert.deepEqual(await texts(ui, 'schema-label'), ['City', 'Person']);
  assert.deepEqual(await texts(ui, 'schema-type'), ['KNOWS', 'LIVES_IN']);
  assert.deepEqual(await texts(ui, 'schema-key'), ['name', 'since']);
  const databases = ui.id('database').locator('option');
  await ui.until(async () => (await databases.allInnerTexts()).join() === 'memgraph,other');
  assert.equal(await ui.id('database').inputValue(), 'memgraph');
  await ui.editor.focus();
  await page.keyboard.type('RETURN usern');
  await page.getByRole('option', { name: /^username/ }).waitFor();
});

memgraphTest('its plans, which are rows', async ({ ui, page }) => {
  const plan = page.getByRole('region', { name: 'Plan' });
  assert.equal(await ui.run('EXPLAIN RETURN 1'), 'done');
  assert.equal(await ui.attribute('tab-plan', 'aria-selected'), 'true');
  assert.equal(await plan.innerText(), ' * Produce {1}\n * Once');
  assert.equal(await ui.run('PROFILE RETURN 1'), 'done');
  assert.match(
    await plan.innerText(),
    /^OPERATOR +ACTUAL HITS +RELATIVE TIME +ABSOLUTE TIME\n\* Once +2 +100\.00 % +0\.001 ms$/,
  );
  await ui.id('tab-table').click();
  assert.equal(await ui.attribute('result-table', 'aria-rowcount'), '2');
});

memgraphTest('a graph whose ids are numbers, and its neighbours, also inside a transaction', async ({ ui }) => {
  const grow = async () => {
    assert.equal(await ui.run('MATCH (n:Person) RETURN n'), 'done');
    await ui.settled();
    assert.equal(await ui.attribute('graph', 'data-nodes'), '1');
    await ui.id('graph-node').click();
    assert.match(await ui.id('inspector').innerText(), /Person[^]*Ada/);
    await ui.id('expand').click();
    await ui.until(async () => (await ui.attribute('graph', 'data-nodes')) === '2');
    assert.equal(await ui.attribute('graph', 'data-relationships'), '1');
  };
  await grow();
  await ui.id('tx-begin').click();
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'open');
  await grow();
  // A statement that the database refuses would have ended it.
  await ui.id('tx-commit').click();
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'none');
  assert.equal(await ui.id('error').count(), 0);
});

memgraphTest('an error has its place, and one in a transaction loses it', async ({ ui, page }) => {
  assert.equal(await ui.run('WRONG statement'), 'error');
  assert.match(await page.getByRole('alert').innerText(), /Error on line 1 position 1/);
  assert.equal(await ui.id('editor').locator('.cm-mistake').innerText(), 'WRONG');
  await ui.id('tx-begin').click();
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'open');
  assert.equal(await ui.run('SHOW STORAGE INFO'), 'error');
  assert.match(await page.getByRole('alert').innerText(), /not allowed in multicommand transactions/);
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'lost');
  await ui.id('tx-rollback').click();
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'none');
  assert.equal(await ui.run('SHOW STORAGE INFO'), 'done');
});

memgraphTest('cancelling ends the statement in the database', async ({ ui }) => {
  const running = async () => {
    const answer = await fetch(`${url}/db/memgraph/query/v2/running`);
    return (await answer.json()).running.length;
  };
  await ui.write('SLEEP 600000');
  await ui.id('run').click();
  await ui.until(async () => (await running()) === 1);
  await ui.id('cancel').click();
  assert.equal(await ui.ended(), 'cancelled');
  await ui.until(async () => (await running()) === 0);
});

const closed = process.env.BOLTGATE_TEST_CONSOLE_MEMGRAPH_WITH_USERS;
test('Memgraph: a wrong password is refused, and the right one let in', { skip: !closed }, () =>
  consoleAt({ url: closed }, { signedOut: true }, async ({ ui }) => {
    await ui.id('signin').waitFor();
    assert.equal(await ui.id('signin-error').count(), 0);
    await ui.id('signin-user').fill('ada');
    await ui.id('signin-password').fill('wrong');
    await ui.id('signin-submit').click();
    assert.match(await ui.id('signin-error').innerText(), /Security\.Unauthorized/);
    await ui.id('signin-password').fill('secret');
    await ui.id('signin-submit').click();
    await ui.ready();
    assert.equal(await ui.id('identity').innerText(), 'ada');
    assert.equal(await ui.run('WHOAMI'), 'done');
    await ui.id('tab-table').click();
    await ui.id('result-table').getByText('ada', { exact: true }).waitFor();
  }),
);
