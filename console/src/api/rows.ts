/** Statements of the console itself, such as those that ask for the schema: their rows at once. */
import type { Row } from '../values/typed';
import { queries, type Client } from './client';

/** Runs a statement that only reads, and returns its rows. It does not say so: Memgraph would wrap it in a transaction, where SHOW is refused. */
export async function readRows(
  client: Client,
  database: string,
  statement: string,
  parameters: Record<string, unknown> = {},
): Promise<Row[]> {
  const rows: Row[] = [];
  const body = { statement, parameters, retry: false };
  for await (const { event } of client.events(queries(database), body)) {
    if (event.$event === 'Record') rows.push(event._body);
  }
  return rows;
}
