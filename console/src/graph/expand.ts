/** The neighbours of a node, asked for when somebody wants to see them. */
import type { Client } from '../api/client';
import { Failure } from '../api/failure';
import { Graph } from './collect';

/** How many neighbours are added at a time. */
export const MOST_NEIGHBOURS = 100;
/** Relationships between two nodes that are drawn at a time. */
const MOST_BETWEEN = 20;

export interface Expansion {
  graph: Graph;
  /** The neighbours that were not there before. */
  added: number;
  /** Whether the node has more of them. */
  hasMore: boolean;
}

/** How databases call an element's id: those that know `elementId`, and Memgraph, whose ids are numbers. */
const IDS = [
  { of: (name: string) => `elementId(${name})`, value: (id: string): unknown => id },
  { of: (name: string) => `id(${name})`, value: (id: string): unknown => Number(id) },
];

/** Finds neighbours of `id` that are not among `shown`, and the relationships to them and to those. */
export async function expand(client: Client, path: string, id: string, shown: string[]): Promise<Expansion> {
  let failure: unknown;
  for (const { of, value } of IDS) {
    const parameters = { id: value(id), shown: shown.map(value) };
    const ask = (condition: string, limit: number) =>
      collect(
        client,
        path,
        `MATCH (n)-[r]-(m) WHERE ${of('n')} = $id AND ${condition} RETURN m, collect(r)[..${MOST_BETWEEN}] AS r LIMIT ${limit}`,
        parameters,
      );
    try {
      const beyond = await ask(`NOT ${of('m')} IN $shown`, MOST_NEIGHBOURS + 1);
      const between = await ask(`${of('m')} IN $shown`, shown.length + 1);
      const neighbours = beyond.slice(0, MOST_NEIGHBOURS);
      const graph = new Graph();
      for (const value of [...neighbours, ...between].flat()) graph.add(value);
      return { graph, added: neighbours.length, hasMore: beyond.length > MOST_NEIGHBOURS };
    } catch (error) {
      failure ??= error;
      // Only a function that is not known is worth another attempt.
      if (Failure.of(error).status === 0 || Failure.of(error).isUnauthorized) break;
    }
  }
  throw failure;
}

async function collect(client: Client, path: string, statement: string, parameters: Record<string, unknown>) {
  const rows = [];
  for await (const { event } of client.events(path, { statement, parameters })) {
    if (event.$event === 'Record') rows.push(event._body);
  }
  return rows;
}
