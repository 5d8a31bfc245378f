/** The queries that the operator has named, for those who may not write statements of their own. */
import type { Client } from '../api/client';
import { Failure } from '../api/failure';

/** A parameter, as JSON Schema describes it. */
export interface Parameter {
  type?: string | string[];
  format?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
}

export interface NamedQuery {
  name: string;
  summary: string;
  description: string;
  access: 'read' | 'write';
  href: string;
  parameters: { properties?: Record<string, Parameter>; required?: string[] };
}

export class Named {
  queries = $state.raw<NamedQuery[]>([]);
  /** Why there are none, if they could not be listed. */
  failure = $state.raw<Failure | null>(null);

  async load(client: Client, database: string): Promise<void> {
    try {
      const path = `/db/${encodeURIComponent(database)}/named`;
      const { document } = await client.json<{ named: NamedQuery[] }>(path, { method: 'GET' });
      this.queries = document.named;
      this.failure = null;
    } catch (error) {
      this.queries = [];
      this.failure = Failure.of(error);
    }
  }
}

/** The simple type of a parameter: of those that it may have, the one that is not null. */
export function typeOf(parameter: Parameter): string {
  const types = [parameter.type ?? 'string'].flat();
  return types.find((type) => type !== 'null') ?? 'string';
}

/**
 * What was written into a field as a value of its parameter; `undefined` leaves it out.
 *
 * @throws SyntaxError where JSON is wanted, and the text is none.
 */
export function valueOf(parameter: Parameter, text: string): unknown {
  const type = typeOf(parameter);
  if (type === 'string') return text === '' ? undefined : text;
  if (text.trim() === '') return undefined;
  return JSON.parse(text) as unknown;
}
