/** Signing in at an OpenID Connect issuer: there and back, renewed, refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, useBrowser } from './support.mjs';

const provider = process.env.BOLTGATE_TEST_CONSOLE_OIDC ?? process.env.BOLTGATE_TEST_OIDC;
const { consoleAt } = useBrowser();

/** Asks a realm of the provider for what no real provider has. */
async function handle(issuer, route, body) {
  const answer = await fetch(`${issuer}/test/${route}`, { method: 'POST', body: JSON.stringify(body ?? {}) });
  return answer.json();
}

/** A test with an issuer and a gateway of its own. `watched` collects what goes to the token endpoint, and the tokens of statements. */
function issuerTest(name, use) {
  test(name, { skip: !provider }, async () => {
    const { issuer } = await handle(provider, 'realms');
    const gateway = await startGateway(undefined, {
      AUTH__ANONYMOUS: 'refuse',
      AUTH__BASIC: 'refuse',
      AUTH__BEARER: 'service',
      AUTH__LEEWAY: '0s',
      AUTH__ISSUERS__IDP__ISSUER: issuer,
      AUTH__ISSUERS__IDP__AUDIENCE: 'boltgate',
      AUTH__ISSUERS__IDP__ALLOW_HTTP: 'true',
      CONSOLE__OIDC_ISSUER: 'idp',
      CONSOLE__OIDC_CLIENT_ID: 'console',
      CONSOLE__OIDC_SCOPES: 'openid,offline_access',
    });
    const options = { signedOut: true, allowed: [new URL(issuer).origin] };
    try {
      await consoleAt(gateway, options, (stage) => use({ ...stage, issuer, ...watch(stage.page, issuer) }));
    } finally {
      await gateway.stop();
    }
  });
}

/** What a page says to the token endpoint and what it is told there, and the tokens that its statements carry. */
function watch(page, issuer) {
  const [grants, tokens] = [[], []];
  page.on('response', async (answer) => {
    if (answer.url() !== `${issuer}/token` || answer.request().method() !== 'POST') return;
    const sent = new URLSearchParams(answer.request().postData());
    const document = await answer.json();
    grants.push({ type: sent.get('grant_type'), status: answer.status(), ...document });
  });
  page.on('request', (request) => {
    if (request.url().endsWith('/query/v2')) tokens.push(request.headers()['authorization']?.replace('Bearer ', ''));
  });
  return { grants, tokens };
}

/** Signs in as somebody. Returns the scopes that the page has asked for. */
async function signIn({ ui, page }, name) {
  await ui.id('signin').waitFor();
  assert.ok(await ui.id('signin-mode-oidc').isChecked());
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.url().includes('code_challenge=')),
    ui.id('signin-oidc').click(),
  ]);
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  await page.getByText('Continue').click();
  await page.locator('[data-testid=identity][data-mode=oidc]').waitFor();
  assert.equal(await ui.id('identity').innerText(), name);
  return new URL(request.url()).searchParams.get('scope');
}

issuerTest('there and back, with the statement kept', async ({ ui, page }) => {
  assert.equal(await signIn({ ui, page }, 'grace'), 'openid offline_access');
  assert.ok(page.url().endsWith('/console'), page.url());
  assert.equal(await ui.run('RETURN 1'), 'done');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!/ey[A-Za-z0-9_-]{20}/.test(kept), kept);
  // A code of somebody else's sign-in is worth nothing here.
  await page.goto(`${new URL(page.url()).origin}/console/callback?code=stolen&state=guessed`);
  assert.match(await ui.id('signin-error').innerText(), /not begun in this tab/);
});

/** Signs in with a token that expires soon, does something, and waits until it has expired. Later ones live long. */
async function outliveToken(stage, meanwhile = async () => {}) {
  await handle(stage.issuer, 'lifetime', { seconds: 10 });
  await signIn(stage, 'grace');
  await handle(stage.issuer, 'lifetime', { seconds: 3600 });
  await meanwhile();
  await stage.ui.until(() => stage.grants.length === 1);
  const [{ access_token: token }] = stage.grants;
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  // The last second may count as before its end.
  await stage.ui.until(() => Date.now() >= (exp + 1) * 1000);
  return token;
}

issuerTest('a token that has expired is renewed, and nobody notices', async (stage) => {
  const { ui, grants, tokens } = stage;
  const old = await outliveToken(stage);
  assert.equal(await ui.run('RETURN 1 AS answered'), 'done');
  assert.equal(await ui.id('signin').count(), 0);
  assert.equal(await ui.id('identity').innerText(), 'grace');
  assert.deepEqual(
    grants.map(({ type, status }) => [type, status]),
    [
      ['authorization_code', 200],
      ['refresh_token', 200],
    ],
  );
  const renewed = grants[1].access_token;
  assert.notEqual(renewed, old);
  assert.deepEqual([tokens.includes(old), tokens.at(-1)], [true, renewed]);
  // Later ones need no grant.
  assert.equal(await ui.run('RETURN 2'), 'done');
  assert.equal(grants.length, 2);
});

const begin = async ({ ui }) => {
  await ui.id('tx-begin').click();
  await ui.id('tx-commit').waitFor();
};

issuerTest('a transaction begins with a renewed token', async (stage) => {
  const { ui, grants } = stage;
  await outliveToken(stage);
  await begin(stage);
  assert.equal(await ui.run('RETURN 1'), 'done');
  assert.deepEqual(
    grants.map(({ type }) => type),
    ['authorization_code', 'refresh_token'],
  );
});

issuerTest('a transaction is lost with its token, and another one can begin', async (stage) => {
  const { ui } = stage;
  await outliveToken(stage, () => begin(stage));
  assert.equal(await ui.run('CREATE (:ConsoleTx)'), 'error');
  await ui.until(async () => (await ui.attribute('tx-state', 'data-state')) === 'lost');
  assert.equal(await ui.attribute('tx-state', 'title'), 'the sign-in that began it has expired');
  assert.equal(await ui.id('signin').count(), 0);
  await begin(stage);
  assert.equal(await ui.run('MATCH (n:ConsoleTx) RETURN n'), 'done');
  assert.equal(await ui.attribute('status', 'data-rows'), '0');
});

issuerTest('where it cannot be renewed, the form comes back and the statement is kept', async (stage) => {
  const { ui, page, issuer, grants } = stage;
  await outliveToken(stage);
  const revoked = { client_id: 'console', token: grants[0].refresh_token, token_type_hint: 'refresh_token' };
  const { status } = await fetch(`${issuer}/token/revocation`, { method: 'POST', body: new URLSearchParams(revoked) });
  assert.equal(status, 200);
  await ui.write('RETURN "kept" AS statement');
  await ui.id('run').click();
  await ui.id('signin').waitFor();
  assert.match(await ui.id('signin-error').innerText(), /TokenExpired/);
  assert.deepEqual([grants[1].type, grants[1].status, grants[1].error], ['refresh_token', 400, 'invalid_grant']);
  assert.equal(await ui.editor.innerText(), 'RETURN "kept" AS statement');
  // The issuer still knows who it is, and asks for the consent that was revoked.
  await ui.id('signin-oidc').click();
  await page.getByText('Continue').click();
  await page.locator('[data-testid=identity][data-mode=oidc]').waitFor();
  assert.equal(await ui.editor.innerText(), 'RETURN "kept" AS statement');
  await page.keyboard.press('Control+Enter');
  assert.equal(await ui.ended(), 'done');
});
