/** The statement that runs, and what has come of it so far. */
import type { Client } from '../api/client';
import type { Summary } from '../api/events';
import { Failure } from '../api/failure';
import { Graph } from '../graph/collect';
import type { Row } from '../values/typed';

/** Rows beyond this are counted and not kept. The statement goes on: to end it would undo what it writes. */
export const MOST_ROWS = 100_000;
/** Lines that the raw view shows. */
export const MOST_LINES = 1000;
/** The pause between two looks at what has arrived, in milliseconds. */
const FRAME = 80;

type Events = ReturnType<Client['events']>;
export type State = 'idle' | 'running' | 'done' | 'cancelled' | 'error';

export class Result {
  state = $state<State>('idle');
  statement = $state('');
  fields = $state.raw<string[]>([]);
  /** Grows in place; `count` says when. */
  rows: Row[] = [];
  lines: string[] = [];
  graph = new Graph();
  count = $state(0);
  /** Changes when rows of this or of another statement have arrived. */
  version = $state(0);
  summary = $state.raw<Summary | null>(null);
  failure = $state.raw<Failure | null>(null);
  milliseconds = $state(0);
  /** What is known of the changes of a statement that was cancelled. */
  note = $state('');
  #abort: AbortController | null = null;

  /** Takes what comes back, to its end. `statement` is what has been sent. Returns why it failed, if it did. */
  async run(statement: string, send: (signal: AbortSignal) => Events): Promise<Failure | null> {
    this.#reset(statement);
    const abort = new AbortController();
    this.#abort = abort;
    const start = performance.now();
    let looked = 0;
    let failure: Failure | null = null;
    const look = () => {
      looked = performance.now();
      this.milliseconds = Math.round(looked - start);
      this.count = this.#count;
      this.version++;
    };
    const clock = setInterval(() => (this.milliseconds = Math.round(performance.now() - start)), FRAME);
    try {
      for await (const { line, event } of send(abort.signal)) {
        if (this.#abort !== abort) break;
        if (this.lines.length < MOST_LINES) this.lines.push(line);
        if (event.$event === 'Header') this.fields = event._body.fields;
        if (event.$event === 'Summary') this.summary = event._body;
        if (event.$event === 'Record') this.#addRow(event._body);
        if (performance.now() - looked > FRAME) look();
      }
    } catch (error) {
      failure = Failure.of(error);
    }
    clearInterval(clock);
    // What was forgotten meanwhile stays forgotten.
    if (this.#abort !== abort) return failure;
    look();
    this.#abort = null;
    this.failure = failure;
    this.state = failure ? (failure.code === 'Cancelled' ? 'cancelled' : 'error') : 'done';
    return failure;
  }

  /** Ends the statement: the gateway notices that nobody reads its answer any more, and has the database stop. */
  cancel(): void {
    this.#abort?.abort();
  }

  /** Shows an error that no request has met. */
  fail(statement: string, failure: Failure): void {
    this.#reset(statement);
    this.failure = failure;
    this.state = 'error';
  }

  /** Forgets everything, as when somebody else signs in. */
  clear(): void {
    this.cancel();
    this.#abort = null;
    this.#reset('');
    this.state = 'idle';
  }

  #count = 0;

  #addRow(row: Row): void {
    this.#count++;
    if (this.rows.length >= MOST_ROWS) return;
    this.rows.push(row);
    for (const value of row) this.graph.add(value);
  }

  #reset(statement: string): void {
    this.state = 'running';
    this.statement = statement;
    this.fields = [];
    this.rows = [];
    this.lines = [];
    this.graph = new Graph();
    this.#count = 0;
    this.count = 0;
    this.summary = null;
    this.failure = null;
    this.milliseconds = 0;
    this.note = '';
    this.version++;
  }
}
