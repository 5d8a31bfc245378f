/** Explicit transactions: begun, used, ended, and lost. */
import assert from 'node:assert/strict';
import { ask, LONG, running, useBrowser } from './support.mjs';

const { consoleTest, gatewayTest } = useBrowser();

const count = async (at) => Number((await ask(at, 'MATCH (n:ConsoleTx) RETURN count(n)')).data.values[0][0]);
const state = (ui) => ui.attribute('tx-state', 'data-state');

consoleTest('statements run inside until it is committed or rolled back', async ({ ui, gateway }) => {
  assert.equal(await state(ui), 'none');
  for (const [end, left] of [
    ['tx-rollback', 0],
    ['tx-commit', 1],
  ]) {
    await ui.id('tx-begin').click();
    await ui.until(async () => (await state(ui)) === 'open');
    assert.match(await ui.id('tx-state').innerText(), /Transaction open\s+(1:00|0:5\d)/);
    assert.equal(await ui.run('CREATE (n:ConsoleTx) RETURN n'), 'done');
    await ui.settled();
    assert.equal(await count(gateway), 0);
    await ui.id(end).click();
    await ui.until(async () => (await state(ui)) === 'none');
    assert.equal(await count(gateway), left);
  }
  await ask(gateway, 'MATCH (n:ConsoleTx) DELETE n');
});

consoleTest('a statement that fails ends it, and nothing runs outside of it by mistake', async ({ ui, gateway }) => {
  await ui.id('tx-begin').click();
  await ui.until(async () => (await state(ui)) === 'open');
  assert.equal(await ui.run('RETURN foo'), 'error');
  await ui.until(async () => (await state(ui)) === 'lost');
  assert.equal(await ui.run('CREATE (:ConsoleTx)'), 'error');
  assert.match(await ui.id('error').innerText(), /transaction is lost/i);
  assert.equal(await count(gateway), 0);
  await ui.id('tx-rollback').click();
  assert.equal(await state(ui), 'none');
  assert.equal(await ui.run('RETURN 1'), 'done');
});

consoleTest('cancelling a statement rolls all of it back', async ({ ui, gateway }) => {
  await ui.id('tx-begin').click();
  await ui.until(async () => (await state(ui)) === 'open');
  assert.equal(await ui.run('CREATE (:ConsoleTx)'), 'done');
  await ui.write(LONG);
  await ui.id('run').click();
  await ui.until(async () => (await running(gateway)) === 1);
  await ui.id('cancel').click();
  await ui.id('status').getByText('Cancelled after 0 rows · rolled back with its transaction').waitFor();
  assert.equal(await ui.attribute('status', 'data-state'), 'cancelled');
  assert.equal(await state(ui), 'lost');
  await ui.until(async () => !(await ask(gateway, 'CREATE (n:ConsoleTx) DELETE n')).errors);
  assert.equal(await count(gateway), 0);
});

consoleTest('leaving the page rolls it back', async ({ ui, page, gateway }) => {
  await ui.id('tx-begin').click();
  await ui.until(async () => (await state(ui)) === 'open');
  await ui.run('CREATE (:ConsoleTx)');
  await page.goto('about:blank');
  // The embedded database has one writer at a time: it is free again.
  await ui.until(async () => !(await ask(gateway, 'CREATE (n:ConsoleTx) DELETE n')).errors);
  assert.equal(await count(gateway), 0);
});

const soon = { settings: { TRANSACTIONS__IDLE_TIMEOUT: '2s' } };
gatewayTest('one that is not used in time is lost', soon, async ({ ui }) => {
  await ui.id('tx-begin').click();
  await ui.until(async () => (await state(ui)) === 'lost');
  assert.match(
    await ui.attribute('tx-state', 'title'),
    /^no request had used it for 2s \(transactions\.idle_timeout\)$/,
  );
  assert.equal(await ui.id('tx-commit').count(), 0);
  await ui.id('tx-begin').click();
  await ui.until(async () => (await state(ui)) === 'open');
});
