// An OpenID provider for tests: node-oidc-provider, with handles to turn its keys while it runs.
//
//   node server.mjs PORT
//
// It serves any number of realms, each an issuer with keys, clients and people of its own, so that tests which turn
// keys or switch the provider off do not meet. The first realm is http://127.0.0.1:PORT itself; a test makes its own:
//
//   POST /test/realms                     a new one: {"issuer": "http://127.0.0.1:PORT/realms/1"}
//
// Beside what OpenID defines, every issuer has routes that no real provider has. Bodies and answers are JSON:
//
//   POST ISSUER/test/rotate   {"keep": bool}              signs with a new key; the old ones stay published, or go
//   POST ISSUER/test/publish  {"up": bool, "maxAge": s}   whether discovery and keys answer (else 503), and their max-age
//   GET  ISSUER/test/fetches                              how often they were asked for: {"discovery": n, "keys": n}
//   POST ISSUER/test/mint     {"claims", "header", "key"} a token that no grant gives: {"token": "…"}
//   POST ISSUER/test/lifetime {"seconds": n}              how long access tokens live that it gives from now on
//
// Clients: `service` (client_credentials, secret `service-secret`), `short` (the same, tokens live for one second),
// `browser` (authorization code with PKCE, no secret) and `console` (the same in a page, whose tokens are for `boltgate`
// without its asking, and can be renewed until they are revoked). People: whatever name is typed into the login form.

import { createServer } from 'node:http';

import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;
const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/jwks';

const redirectUri = 'http://127.0.0.1/callback';
const machine = (clientId) => ({
  client_id: clientId,
  client_secret: `${clientId}-secret`,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

// What a person's tokens say beside the standard claims: a flat and a nested one.
const personClaims = (name) => ({ preferred_username: name, realm: { user: name } });

const configuration = (jwks, realm) => ({
  jwks: { keys: jwks },
  cookies: { keys: ['only-for-tests'] },
  clients: [
    machine('service'),
    machine('short'),
    {
      client_id: 'browser',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code'],
      redirect_uris: [redirectUri],
    },
    {
      client_id: 'console',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/console/callback'],
    },
  ],
  clientBasedCORS: (_, __, client) => client.clientId === 'console',
  issueRefreshToken: (_, client) => client.clientId === 'console',
  claims: { openid: ['sub', 'preferred_username', 'realm'] },
  // The claims go into the id token as well, not only into what /me answers.
  conformIdTokenClaims: false,
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...personClaims(accountId) }) }),
  extraTokenClaims: (_, token) => (token.accountId ? personClaims(token.accountId) : undefined),
  ttl: { IdToken: 3600, Grant: 3600, Interaction: 600, Session: 3600 },
  features: {
    clientCredentials: { enabled: true },
    // Forms for login and consent, without a password.
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client, oneOf) => (client.clientId === 'console' ? 'urn:boltgate' : oneOf),
      useGrantedResource: () => true,
      // The resource that is asked for becomes the token's audience, which makes the token a JWT.
      getResourceServerInfo: (_, resource, client) => ({
        scope: '',
        audience: resource === 'urn:boltgate' ? 'boltgate' : resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: client.clientId === 'short' ? 1 : realm.lifetime,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

let keysMade = 0;
let realmsMade = 0;

async function makeKey() {
  const pair = await generateKeyPair('RS256', { extractable: true });
  keysMade += 1;
  return { ...pair, kid: `key-${keysMade}` };
}

class Realm {
  constructor(path) {
    this.path = path;
    this.issuer = origin + path;
    this.up = true;
    this.maxAge = undefined;
    this.lifetime = 3600;
    this.fetches = { discovery: 0, keys: 0 };
    // The first one signs.
    this.keys = [];
  }

  // A provider's keys are settled when it is made, so a new one takes over.
  async rotate(keep) {
    this.keys = [await makeKey(), ...(keep ? this.keys : [])];
    const jwks = await Promise.all(this.keys.map(async ({ privateKey, kid }) => (
      { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }
    )));
    this.answer = new Provider(this.issuer, configuration(jwks, this)).callback();
  }

  // `claims` and `header` lie over those of a good token; null takes one away.
  async mint({ claims = {}, header = {}, key = 'current' }) {
    const now = Math.floor(Date.now() / 1000);
    const current = this.keys[0];
    const good = { iss: this.issuer, sub: 'alice', iat: now, exp: now + 3600, ...personClaims('alice') };
    const payload = withoutNulls({ ...good, ...claims });
    const signed = (alg, secret) => new SignJWT(payload)
      .setProtectedHeader(withoutNulls({ alg, typ: 'at+jwt', kid: current.kid, ...header }))
      .sign(secret);
    switch (key) {
      case 'current': return signed('RS256', current.privateKey);
      // Of somebody who knows the key's id, not the key.
      case 'other': return signed('RS256', (await makeKey()).privateKey);
      // The public key, which everybody has, as if it were a shared secret.
      case 'public': return signed('HS256', new TextEncoder().encode(await exportSPKI(current.publicKey)));
      case 'none': return new UnsecuredJWT(payload).encode();
      default: throw new Error(`there is no key '${key}'`);
    }
  }

  async test(route, body) {
    switch (route) {
      case 'POST rotate':
        await this.rotate(body.keep);
        return { kid: this.keys[0].kid };
      case 'POST publish':
        this.up = body.up;
        this.maxAge = body.maxAge;
        return {};
      case 'GET fetches': return this.fetches;
      case 'POST lifetime':
        this.lifetime = body.seconds;
        return {};
      case 'POST mint': return { token: await this.mint(body) };
      default: return undefined;
    }
  }

  serve(request, response) {
    const { pathname } = new URL(request.url, origin);
    const asked = { [DISCOVERY]: 'discovery', [KEYS]: 'keys' }[pathname];
    if (asked) {
      this.fetches[asked] += 1;
      if (!this.up) {
        response.writeHead(503).end();
        return;
      }
      if (this.maxAge !== undefined) {
        response.setHeader('Cache-Control', `public, max-age=${this.maxAge}`);
      }
    }
    this.answer(request, response);
  }
}

function withoutNulls(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

const realms = new Map();

async function addRealm(path) {
  const realm = new Realm(path);
  await realm.rotate(false);
  realms.set(path, realm);
  return realm;
}

async function newRealm() {
  realmsMade += 1;
  const realm = await addRealm(`/realms/${realmsMade}`);
  return { issuer: realm.issuer };
}

async function readJson(request) {
  let text = '';
  for await (const piece of request) {
    text += piece;
  }
  return text === '' ? {} : JSON.parse(text);
}

async function handle(request, response) {
  const [, path, rest] = /^(\/realms\/\d+)?(\/.*)$/.exec(request.url) ?? [];
  const realm = realms.get(path ?? '');
  if (!realm) {
    response.writeHead(404).end();
    return;
  }
  if (!rest.startsWith('/test/')) {
    // As frameworks do it where an application is mounted below a path.
    request.originalUrl = request.url;
    request.url = rest;
    realm.serve(request, response);
    return;
  }
  const route = `${request.method} ${rest.slice('/test/'.length)}`;
  const body = await readJson(request);
  const answer = route === 'POST realms' && realm.path === '' ? await newRealm() : await realm.test(route, body);
  response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
}

await addRealm('');
createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end(String(error));
  });
}).listen(port, '127.0.0.1');
