/** The queries that the operator has named, for those who may not write statements of their own. */
import type { Client } from '../api/client';
import { Failure } from '../api/failure';
import type { Parameter } from '../values/parameter';

export interface NamedQuery {
  name: string;
  summary: string;
  description: string;
  deprecated: boolean;
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
