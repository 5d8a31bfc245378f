/** An explicit transaction, from Begin to its end. */
import { queries, type Client } from '../api/client';
import { Failure } from '../api/failure';

interface Opened {
  transaction: { id: string; expires: string };
}

const UNUSED = 'no statement had used it for too long';

/** Why the gateway has ended a transaction, if it says that. */
function because(failure: Failure): string | undefined {
  if (failure.isUnauthorized) return 'the sign-in that began it has expired';
  return /rolled back because (.+)\.$/.exec(failure.message)?.[1];
}

export class Transaction {
  state = $state<'none' | 'open' | 'lost'>('none');
  /** When it ends unless it is used, in milliseconds of this machine's clock. */
  #expires = $state(0);
  #now = $state(Date.now());
  /** Why it was lost. */
  reason = $state('');
  #path = '';
  #client: Client | null = null;
  #clock: ReturnType<typeof setInterval> | undefined;
  #isUsed = false;

  secondsLeft = $derived(Math.max(0, Math.ceil((this.#expires - this.#now) / 1000)));

  /** Where its statements go; `null` if none is open. */
  get path(): string | null {
    return this.state === 'open' ? this.#path : null;
  }

  async begin(client: Client, database: string): Promise<void> {
    const opened = await client.json<Opened>(`${queries(database)}/tx`);
    const { id, expires } = opened.document.transaction;
    this.#client = client;
    this.#path = `${queries(database)}/tx/${encodeURIComponent(id)}`;
    this.state = 'open';
    this.renewed(expires, opened.answer.headers.get('Date'));
    this.#clock = setInterval(() => this.#tick(), 250);
  }

  /** Runs a statement inside. Its time does not pass meanwhile. */
  async use<T>(statement: () => Promise<T>): Promise<T> {
    this.#isUsed = true;
    try {
      return await statement();
    } finally {
      this.#isUsed = false;
    }
  }

  /** The gateway has put off its end. */
  renewed(expires: string, date: string | null): void {
    // By the gateway's clock, since this machine's may be wrong.
    const asked = date ? Date.parse(date) : Date.now();
    this.#now = Date.now();
    this.#expires = Date.now() + (Date.parse(expires) - asked);
  }

  async commit(): Promise<void> {
    await this.#end(() => this.#client?.json(`${this.#path}/commit`));
  }

  /** Ends it without effect. One that is lost is only forgotten. */
  async rollBack(): Promise<void> {
    if (this.state === 'lost') this.#finish('none');
    else await this.#end(() => this.#client?.json(this.#path, { method: 'DELETE' }));
  }

  /** The page goes away. */
  abandon(): void {
    if (this.state === 'open') void this.#client?.send(this.#path, { method: 'DELETE', keepalive: true });
  }

  /** A statement in it has failed: finds out whether it is still there. */
  async check(failure: Failure): Promise<void> {
    if (this.state !== 'open') return;
    try {
      const { answer, document } = await (this.#client as Client).json<Opened>(this.#path);
      this.renewed(document.transaction.expires, answer.headers.get('Date'));
    } catch (error) {
      const ended = Failure.of(error);
      // A gateway that cannot be reached may still have it.
      if (ended.status === 0) return;
      const reason = because(failure) ?? because(ended) ?? 'a statement in it failed';
      this.lose(failure.code === 'Cancelled' ? 'its statement was cancelled' : reason);
    }
  }

  lose(reason: string): void {
    if (this.state !== 'open') return;
    this.reason = reason;
    this.#finish('lost');
  }

  async #end(request: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await request();
      this.#finish('none');
    } catch (error) {
      const failure = Failure.of(error);
      // A gateway that cannot be reached may still have it.
      if (failure.status !== 0) this.lose(failure.message);
      throw failure;
    }
  }

  #tick(): void {
    if (this.#isUsed) return;
    this.#now = Date.now();
    // A second later than told: dates have no fractions.
    if (this.#now >= this.#expires + 1000) void this.#expire();
  }

  /** Its time is over: asks for its end, to learn why the gateway had ended it. */
  async #expire(): Promise<void> {
    const path = this.#path;
    clearInterval(this.#clock);
    let reason = UNUSED;
    try {
      await this.#client?.json(path, { method: 'DELETE' });
    } catch (error) {
      reason = because(Failure.of(error)) ?? UNUSED;
    }
    // Meanwhile, another one may have begun.
    if (this.#path === path) this.lose(reason);
  }

  #finish(state: 'none' | 'lost'): void {
    clearInterval(this.#clock);
    this.state = state;
    this.#path = '';
  }
}
