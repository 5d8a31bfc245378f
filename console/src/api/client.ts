/** Requests to the gateway on behalf of the user who is signed in. */
import { Failure, type Told } from './failure';
import { lines } from './lines';
import type { Event } from './events';

const LINES = 'application/vnd.neo4j.query.v1.2+jsonl';

/** The headers that say who asks. They are kept in memory alone. */
export type Credentials = Record<string, string>;

export interface Options {
  method?: 'GET' | 'POST' | 'DELETE';
  /** A text is JSON already. */
  body?: unknown;
  accept?: string;
  signal?: AbortSignal;
  /** Whether the request outlives the page. */
  keepalive?: boolean;
}

export class Client {
  constructor(readonly credentials: Credentials = {}) {}

  /** Sends a request. Without `omit`, the browser would answer a 401 with a password dialog of its own. */
  async send(
    path: string,
    { method = 'POST', body, accept = LINES, signal, keepalive }: Options = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { ...this.credentials, Accept: accept };
    if (method === 'POST') headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'omit', cache: 'no-store', redirect: 'error' };
    if (method === 'POST') init.body = typeof body === 'string' ? body : JSON.stringify(body ?? {});
    if (signal) init.signal = signal;
    if (keepalive) init.keepalive = true;
    return fetch(path, init);
  }

  /** Sends a statement, and yields what comes back: first the answer's head, then its events one by one. */
  async *events(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<{ line: string; event: Event }> {
    const answer = await this.send(path, signal ? { body, signal } : { body });
    if (!isLines(answer)) throw await refusal(answer);
    let ended = false;
    for await (const line of lines(answer.body ?? new ReadableStream())) {
      const event = JSON.parse(line) as Event;
      if (event.$event === 'Error') throw Failure.told(event._body, answer.status);
      ended = event.$event === 'Summary';
      yield { line, event };
    }
    if (!ended) throw new Failure('Connection', 'The answer broke off: the connection was lost before its end.');
  }

  /** Sends a request whose answer is one document. */
  async json<T>(path: string, options: Options = {}): Promise<{ answer: Response; document: T }> {
    const answer = await this.send(path, { accept: 'application/json', ...options });
    const document = (await answer.json().catch(() => ({}))) as T & { errors?: Told[] };
    if (!answer.ok || document.errors) throw Failure.told(document.errors, answer.status);
    return { answer, document };
  }
}

/** The path of the Query API for a database. */
export function queries(database: string): string {
  return `/db/${encodeURIComponent(database)}/query/v2`;
}

function isLines(answer: Response): boolean {
  return answer.headers.get('Content-Type')?.startsWith(LINES) ?? false;
}

async function refusal(answer: Response): Promise<Failure> {
  const document = (await answer.json().catch(() => ({}))) as { errors?: Told[] };
  return Failure.told(document.errors, answer.status);
}
