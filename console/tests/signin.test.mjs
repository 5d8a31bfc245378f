/** Signing in: with nothing, a password, a token, and at an issuer. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { useBrowser } from './support.mjs';

const SECRET = 'a shared key of thirty-two bytes, or more';

const browser = useBrowser();
/** A test with a gateway of its own, at which nobody is signed in yet. */
const gatewayTest = (name, options, use) => browser.gatewayTest(name, { signedOut: true, ...options }, use);

function token(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'shop', aud: 'graph', sub: 'alice', ...claims })}`;
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`;
}

const TOKENS = {
  AUTH__ANONYMOUS: 'refuse',
  AUTH__BASIC: 'refuse',
  AUTH__BEARER: 'service',
  AUTH__ISSUERS__SHOP__ISSUER: 'shop',
  AUTH__ISSUERS__SHOP__AUDIENCE: 'graph',
  AUTH__ISSUERS__SHOP__SECRET: SECRET,
};

gatewayTest('where nobody is asked, one can still sign in as somebody', {}, async ({ ui, page }) => {
  await ui.ready();
  assert.equal(await ui.attribute('identity', 'data-mode'), 'none');
  await ui.id('signin-open').click();
  const form = page.getByRole('form', { name: 'Sign in' });
  await form.waitFor();
  assert.equal(await form.getByRole('radio').count(), 3);
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
  await ui.id('signin-open').click();
  await ui.id('signin-mode-basic').check();
  await ui.id('signin-user').fill('ada');
  await ui.id('signin-password').fill('pass wörd');
  await ui.id('signin-submit').click();
  await page.locator('[data-testid=identity][data-mode=basic]').waitFor();
  assert.equal(await ui.id('identity').innerText(), 'ada');
  assert.equal(await ui.run('RETURN 1'), 'done');
  await ui.id('signout').click();
  await page.locator('[data-testid=identity][data-mode=none]').waitFor();
});

gatewayTest(
  'a token that is refused says why, and one that is accepted is kept nowhere',
  { settings: TOKENS },
  async ({ ui, page }) => {
    await ui.id('signin').waitFor();
    const inOneMinute = Math.floor(Date.now() / 1000) + 60;
    const secret = token({ exp: inOneMinute });
    await ui.id('signin-token').fill(token({ exp: 1 }));
    await ui.id('signin-submit').click();
    assert.match(await ui.id('signin-error').innerText(), /Neo\.ClientError\.Security\.TokenExpired/);
    await ui.id('signin-token').fill(secret);
    await ui.id('signin-submit').click();
    await page.locator('[data-testid=identity][data-mode=token]').waitFor();
    assert.equal(await ui.run('RETURN 1'), 'done');
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
    );
    assert.ok(!kept.includes(secret.slice(0, 40)), kept);
    await page.reload();
    await ui.id('signin').waitFor();
  },
);

gatewayTest(
  'a token that expires asks again, and keeps the statement',
  { settings: { ...TOKENS, AUTH__LEEWAY: '0s' } },
  async ({ ui, page }) => {
    await ui.id('signin').waitFor();
    await ui.id('signin-token').fill(token({ exp: Math.floor(Date.now() / 1000) + 6 }));
    await ui.id('signin-submit').click();
    await ui.ready();
    await ui.write('RETURN "kept" AS statement');
    await ui.until(async () => {
      if (await ui.id('signin').isVisible()) return true;
      await ui
        .id('run')
        .click({ timeout: 1000 })
        .catch(() => undefined);
      return false;
    });
    assert.match(await ui.id('signin-error').innerText(), /expired/i);
    await ui.id('signin-token').fill(token({ exp: Math.floor(Date.now() / 1000) + 60 }));
    await ui.id('signin-submit').click();
    await ui.ready();
    await page.keyboard.press('Control+Enter');
    assert.equal(await ui.ended(), 'done');
    assert.equal(await ui.editor.innerText(), 'RETURN "kept" AS statement');
  },
);

const neo4j = process.env.BOLTGATE_TEST_NEO4J_AUTH_BOLT;
gatewayTest(
  'Neo4j refuses a wrong password, and accepts the right one',
  { args: ['--database-uri', neo4j ?? ''], skip: !neo4j },
  async ({ ui, page }) => {
    await ui.id('signin').waitFor();
    assert.equal(await ui.id('signin-error').count(), 0);
    await ui.id('signin-user').fill('neo4j');
    await ui.id('signin-password').fill('wrong');
    await ui.id('signin-submit').click();
    assert.match(await ui.id('signin-error').innerText(), /Neo\.ClientError\.Security\.Unauthorized/);
    await ui.id('signin-password').fill('password1');
    await ui.id('signin-submit').click();
    await page.locator('[data-testid=identity][data-mode=basic]').waitFor();
    assert.equal(await ui.run('RETURN 1'), 'done');
    await ui.id('signout').click();
    await ui.id('signin').waitFor();
  },
);
