/**
 * Signing in with OpenID Connect: authorization code with PKCE, as a public client. What has to survive the way to the
 * issuer and back is kept for this tab, and is worth nothing without the code.
 */
import * as oauth from 'oauth4webapi';
import type { Issuer } from '../api/config';

export interface Tokens {
  access: string;
  id?: string;
  refresh?: string;
  /** The name of the user who signed in. */
  name: string;
}

interface Pending {
  verifier: string;
  state: string;
  nonce: string;
}

const KEY = 'boltgate.oidc';

/** Goes to the issuer. */
export async function leave(config: Issuer): Promise<void> {
  const server = await discover(config);
  if (!server.authorization_endpoint) throw new Error('The issuer names no address for signing in.');
  const pending: Pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
  sessionStorage.setItem(KEY, JSON.stringify(pending));
  const url = new URL(server.authorization_endpoint);
  const query = {
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: redirect(),
    scope: config.scopes.join(' '),
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Comes back from the issuer, and changes the code for tokens. */
export async function arrive(config: Issuer, url: URL): Promise<Tokens> {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (!kept) throw new Error('Signing in was not begun in this tab, or has been finished already. Try again.');
  const { verifier, state, nonce } = JSON.parse(kept) as Pending;
  const [server, client] = [await discover(config), clientOf(config)];
  const code = oauth.validateAuthResponse(server, client, url, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    code,
    redirect(),
    verifier,
    options(config),
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  return tokensOf(tokens);
}

/** Gets new tokens without asking anybody. */
export async function refresh(config: Issuer, old: Tokens): Promise<Tokens> {
  const [server, client] = [await discover(config), clientOf(config)];
  const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), old.refresh ?? '', options(config));
  const tokens = await oauth.processRefreshTokenResponse(server, client, answer);
  return { ...old, ...tokensOf(tokens, old.name) };
}

function tokensOf(answer: oauth.TokenEndpointResponse, name = ''): Tokens {
  const claims = oauth.getValidatedIdTokenClaims(answer);
  const called = [claims?.['preferred_username'], claims?.['name'], claims?.['email'], claims?.sub];
  const tokens: Tokens = {
    access: answer.access_token,
    name: called.find((text): text is string => typeof text === 'string' && text !== '') ?? name,
  };
  if (answer.id_token) tokens.id = answer.id_token;
  if (answer.refresh_token) tokens.refresh = answer.refresh_token;
  return tokens;
}

async function discover(config: Issuer): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(config.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options(config)));
}

function clientOf(config: Issuer): oauth.Client {
  return { client_id: config.clientId };
}

/** An issuer without TLS is the operator's own choice (`allow_http`). */
function options(config: Issuer): oauth.HttpRequestOptions<'GET' | 'POST', URLSearchParams | undefined> {
  return {
    [oauth.allowInsecureRequests]: config.issuer.startsWith('http://'),
    [oauth.customFetch]: (url, init) => fetch(url, { ...init, credentials: 'omit' } as RequestInit),
  };
}

function redirect(): string {
  return `${location.origin}/console/callback`;
}
