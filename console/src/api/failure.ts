/** Why a request failed, as the database or the gateway says it. */

export interface Told {
  code: string;
  message: string;
  /** The parameter of a named query that was refused. */
  parameter?: string;
}

/** An error with a code: the first of all that were told. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** The status of the answer; 0 if there was none. */
    readonly status = 0,
    readonly told: Told[] = [{ code, message }],
  ) {
    super(message);
  }

  /** The credentials were not accepted, or no longer are. */
  get isUnauthorized(): boolean {
    return this.status === 401;
  }

  static of(error: unknown): Failure {
    if (error instanceof Failure) return error;
    if (error instanceof DOMException && error.name === 'AbortError') return new Failure('Cancelled', 'Cancelled.');
    const detail = error instanceof Error ? error.message : String(error);
    return new Failure('Connection', `The gateway cannot be reached, or the connection broke: ${detail}`);
  }

  static told(errors: Told[] = [], status: number): Failure {
    const [error] = errors;
    return error
      ? new Failure(error.code, error.message, status, errors)
      : new Failure(`HTTP ${status}`, `The gateway answered ${status} without saying why.`, status);
  }
}
