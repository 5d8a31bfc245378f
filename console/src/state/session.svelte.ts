/** Who is signed in. Credentials are in this object's memory and nowhere else. */
import { Client, queries, type Credentials } from '../api/client';
import { fetchConfig, type Config, type Mode } from '../api/config';
import { Failure } from '../api/failure';
import type { Tokens } from '../oidc/flow';

export class Session {
  config = $state.raw<Config>({ login: ['none'], oidc: null, cypher: true, version: '', database: 'neo4j' });
  mode = $state<Mode>('none');
  /** The name to show. */
  user = $state('');
  /** Whether the form is shown. */
  asking = $state(false);
  /** Whether it is known yet how to go on. */
  ready = $state(false);
  /** Why signing in failed, or why it is asked for again. */
  failure = $state.raw<Failure | null>(null);
  client = $state.raw(new Client());
  #tokens: Tokens | null = null;
  #renewing: Promise<boolean> | null = null;

  /** Whether the user may send statements of their own. */
  get cypher(): boolean {
    return this.config.cypher;
  }

  /** Whether a user is signed in, including an anonymous one. */
  get isOpen(): boolean {
    return this.ready && !this.asking;
  }

  /** Finds out whether the database wants to know who asks. */
  async start(): Promise<void> {
    try {
      this.config = await fetchConfig();
      if (location.pathname.endsWith('/callback')) await this.#returned();
      else if (this.config.login.includes('none')) await this.#signIn('none', {}, '');
      else this.asking = true;
    } catch (error) {
      this.failure = Failure.of(error);
      this.asking = true;
    }
    this.ready = true;
  }

  async withPassword(user: string, password: string): Promise<void> {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    await this.#signIn('basic', { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` }, user);
  }

  async withToken(token: string): Promise<void> {
    await this.#signIn('token', { Authorization: `Bearer ${token.trim()}` }, 'Token');
  }

  async withoutAnything(): Promise<void> {
    await this.#signIn('none', {}, '');
  }

  /** Leaves for the issuer. */
  async withIssuer(): Promise<void> {
    if (!this.config.oidc) return;
    this.failure = null;
    try {
      const { leave } = await import('../oidc/flow');
      await leave(this.config.oidc);
    } catch (error) {
      this.failure = issuerFailure(error);
    }
  }

  open(): void {
    this.failure = null;
    this.asking = true;
  }

  /** Closes the form, where nobody has to sign in. */
  close(): void {
    this.asking = false;
  }

  signOut(): void {
    this.#forget();
    if (this.config.login.includes('none')) void this.#signIn('none', {}, '');
    else this.asking = true;
  }

  /** Does something as whoever is signed in, and once more if only the token had to be renewed. */
  async act<T>(action: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await action(this.client);
    } catch (error) {
      const failure = Failure.of(error);
      if (!failure.isUnauthorized || !(await this.renew(failure))) throw failure;
      return action(this.client);
    }
  }

  /** The answer to a statement. If only the token had to be renewed, nothing was carried out, and it is sent `again`. */
  async *events(path: string, body: unknown, signal: AbortSignal, again: boolean): ReturnType<Client['events']> {
    try {
      yield* this.client.events(path, body, signal);
    } catch (error) {
      const failure = Failure.of(error);
      if (!failure.isUnauthorized || !(await this.renew(failure)) || !again) throw failure;
      yield* this.client.events(path, body, signal);
    }
  }

  /** After credentials were refused: renews the token if that is possible, else asks again. Whether it was renewed. */
  async renew(failure: Failure): Promise<boolean> {
    // A refresh token is good for one use: to send it twice could end the whole sign-in.
    this.#renewing ??= this.#renew(failure).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renew(failure: Failure): Promise<boolean> {
    const { oidc } = this.config;
    if (this.#tokens?.refresh && oidc) {
      try {
        const { refresh } = await import('../oidc/flow');
        this.#hold(await refresh(oidc, this.#tokens));
        return true;
      } catch {
        // The form comes back, as without a refresh token.
      }
    }
    this.#forget();
    this.failure = failure;
    this.asking = true;
    return false;
  }

  async #returned(): Promise<void> {
    const { oidc } = this.config;
    const url = new URL(location.href);
    history.replaceState(null, '', '/console');
    try {
      if (!oidc) throw new Failure('Sign-in', 'This gateway has no issuer for the console.');
      const { arrive } = await import('../oidc/flow');
      const tokens = await arrive(oidc, url);
      await this.#signIn('oidc', credentials(tokens), tokens.name, tokens);
    } catch (error) {
      this.failure = issuerFailure(error);
      this.asking = true;
    }
  }

  /** Tries credentials with a statement that needs no data, and keeps them if they are accepted. */
  async #signIn(mode: Mode, headers: Credentials, user: string, tokens: Tokens | null = null): Promise<void> {
    this.failure = null;
    const client = new Client(headers);
    const refused = await this.#probe(client);
    if (refused?.isUnauthorized || (refused && mode !== 'none' && refused.status === 0)) {
      // Nobody has tried anything yet when the anonymous probe is refused.
      if (mode !== 'none' || this.asking) this.failure = refused;
      this.asking = true;
      return;
    }
    this.config = await fetchConfig(headers);
    this.mode = mode;
    this.user = user === '' ? 'Anonymous' : user;
    this.#tokens = tokens;
    this.client = client;
    this.asking = false;
  }

  async #probe(client: Client): Promise<Failure | null> {
    try {
      const body = { statement: 'RETURN 1', retry: false };
      await client.json(queries(this.config.database), { body });
      return null;
    } catch (error) {
      return Failure.of(error);
    }
  }

  #hold(tokens: Tokens): void {
    this.#tokens = tokens;
    this.client = new Client(credentials(tokens));
  }

  #forget(): void {
    this.#tokens = null;
    this.client = new Client();
    this.mode = 'none';
    this.user = '';
  }
}

function credentials(tokens: Tokens): Credentials {
  // Only the issuer itself can read an access token that is no JWT. The ID token is meant for this page, and verifiable.
  const isReadable = tokens.access.split('.').length === 3;
  const headers: Credentials = { Authorization: `Bearer ${isReadable ? tokens.access : (tokens.id ?? tokens.access)}` };
  // Memgraph's single sign-on takes both.
  if (tokens.id) headers['X-Id-Token'] = tokens.id;
  return headers;
}

function issuerFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('Sign-in', error instanceof Error ? error.message : String(error));
}
