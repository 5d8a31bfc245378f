/** The console as a whole: what happens when somebody runs a statement, and everything that the parts share. */
import { queries } from '../api/client';
import { Failure } from '../api/failure';
import { position, type Position } from '../editor/position';
import { Named, type NamedQuery } from './named.svelte';
import { History } from './history.svelte';
import { Result } from './result.svelte';
import { Schema } from './schema.svelte';
import { Session } from './session.svelte';
import { Theme } from './theme.svelte';
import { Transaction } from './transaction.svelte';
import { isPlan } from '../values/plan';

export const VIEWS = ['graph', 'table', 'json', 'raw', 'plan'] as const;
export type View = (typeof VIEWS)[number];

/** The request was dropped before its end, and the database may have been done by then. */
const UNKNOWN = 'if it writes, its changes may have been made or not';
const ROLLED_BACK = 'rolled back with its transaction';

/** Kept for this tab while somebody is at the issuer. */
const STATEMENT = 'boltgate.statement';

class Console {
  readonly session = new Session();
  readonly result = new Result();
  readonly schema = new Schema();
  readonly named = new Named();
  readonly history = new History();
  readonly transaction = new Transaction();
  readonly theme = new Theme();

  statement = $state(sessionStorage.getItem(STATEMENT) ?? '');
  parameters = $state('');
  helping = $state(false);
  /** The word that the last error is about. */
  mark = $state.raw<Position | null>(null);
  #database = $state('');
  /** The view that was chosen; `null` for the one that suits the result. */
  chosen = $state<View | null>(null);

  parametersFailure = $derived(parametersFailure(this.parameters));
  running = $derived(this.result.state === 'running');
  view = $derived<View>(this.#suitable());

  async start(): Promise<void> {
    await this.session.start();
    sessionStorage.removeItem(STATEMENT);
  }

  /** The database that was chosen, or that this gateway asks first: it may not know it until somebody is let in. */
  get database(): string {
    return this.#database === '' ? this.session.config.database : this.#database;
  }

  set database(name: string) {
    this.#database = name;
  }

  /** Somebody has signed in: everything is theirs from now on. */
  signedIn(): void {
    if (this.session.cypher) void this.schema.load(this.session.client, this.database);
    else void this.named.load(this.session.client, this.database);
  }

  signOut(): void {
    this.transaction.abandon();
    this.transaction.lose('you signed out');
    this.result.clear();
    this.#database = '';
    this.session.signOut();
  }

  /** Keeps the statement, and leaves for the issuer. */
  async withIssuer(): Promise<void> {
    sessionStorage.setItem(STATEMENT, this.statement);
    await this.session.withIssuer();
  }

  /** Runs what the editor holds, or `statement`. */
  async run(statement = this.statement): Promise<void> {
    if (this.running || statement.trim() === '' || this.parametersFailure) return;
    this.mark = null;
    this.history.add(statement);
    if (this.transaction.state === 'lost') {
      const message = `The transaction is lost: ${this.transaction.reason}. Begin another one, or roll back to leave it.`;
      this.result.fail(statement, new Failure('Transaction', message));
      return;
    }
    const inTransaction = this.transaction.path;
    const send = () => this.#send(statement, inTransaction ?? queries(this.database));
    const failure = await (inTransaction ? this.transaction.use(send) : send());
    if (failure) {
      this.mark = statement === this.statement ? position(failure.message, statement) : null;
      if (inTransaction) await this.transaction.check(failure);
      this.#note(!inTransaction ? UNKNOWN : this.transaction.path ? '' : ROLLED_BACK);
    } else if (inTransaction) {
      const { transaction } = this.result.summary ?? {};
      if (transaction) this.transaction.renewed(transaction.expires, null);
    }
    const { counters } = this.result.summary ?? {};
    if (counters?.['containsUpdates']) void this.schema.refresh(this.session.client, this.database);
  }

  /** Calls a query that the operator has named. Its parameters are JSON. */
  async call({ name, href, access }: NamedQuery, parameters: string): Promise<void> {
    if (this.running) return;
    await this.#ask(name, href, parameters);
    if (access === 'write') this.#note(UNKNOWN);
  }

  cancel(): void {
    this.result.cancel();
  }

  async begin(): Promise<void> {
    await this.#told(() => this.session.act((client) => this.transaction.begin(client, this.database)));
  }

  async commit(): Promise<void> {
    await this.#told(() => this.transaction.commit());
  }

  async rollBack(): Promise<void> {
    await this.#told(() => this.transaction.rollBack());
  }

  /** Another statement in the editor: the error no longer fits. */
  write(statement: string): void {
    this.statement = statement;
    this.mark = null;
  }

  /** Goes through the history: 1 is further back. */
  step(direction: 1 | -1): void {
    const statement = this.history.step(direction, this.statement);
    if (statement !== null) this.write(statement);
  }

  async #send(statement: string, path: string): Promise<Failure | null> {
    // As they were written: as numbers of JavaScript, long integers would lose their last digits.
    const parameters = this.parameters.trim() === '' ? '{}' : this.parameters;
    const body = `{"statement":${JSON.stringify(statement)},"parameters":${parameters},"includeCounters":true}`;
    return this.#ask(statement, path, body);
  }

  async #ask(statement: string, path: string, body: unknown): Promise<Failure | null> {
    // A transaction belongs to the token that began it: with another one it is lost.
    const again = this.transaction.path === null;
    return this.result.run(statement, (signal) => this.session.events(path, body, signal, again));
  }

  /** Says what is known of a statement's changes, if it was cancelled. */
  #note(known: string): void {
    if (this.result.state === 'cancelled') this.result.note = known;
  }

  /** Does something, and shows why it failed if it did. */
  async #told(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const failure = Failure.of(error);
      this.result.fail(this.result.statement, failure);
      if (failure.isUnauthorized) await this.session.renew(failure);
    }
  }

  #suitable(): View {
    const { result, chosen } = this;
    void result.version;
    const plan = result.summary?.queryPlan ?? result.summary?.profiledQueryPlan;
    const hasGraph = result.graph.nodes.size > 0 || result.graph.relationships.size > 0;
    const isPlanned = isPlan(result.fields) || (Boolean(plan) && result.count === 0);
    if (chosen === 'graph' && !hasGraph && result.count > 0) return 'table';
    if (chosen) return chosen;
    if (isPlanned) return 'plan';
    return hasGraph || result.state === 'idle' ? 'graph' : 'table';
  }
}

/** The one console of the page. */
export const app = new Console();

function parametersFailure(text: string): string | null {
  if (text.trim() === '') return null;
  try {
    const parameters: unknown = JSON.parse(text);
    const isObject = typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters);
    return isObject ? null : 'Parameters are an object, such as {"name": "Ada"}.';
  } catch (error) {
    return error instanceof Error ? error.message : 'This is not JSON.';
  }
}
