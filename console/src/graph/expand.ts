/** The neighbours of a node, asked for when somebody wants to see them. */
import type { Client } from '../api/client';
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

/** How a statement names the node `name`, and a parameter its id. */
interface Naming {
  of: (name: string) => string;
  value: (id: string) => unknown;
}

/**
 * How the database of an element id finds elements: Memgraph, whose ids are numbers, does not know `elementId`. The id says it,
 * since to try the wrong one would end an open transaction.
 */
export function naming(id: string): Naming {
  return /^\d+$/.test(id)
    ? { of: (name) => `id(${name})`, value: Number }
    : { of: (name) => `elementId(${name})`, value: (id) => id };
}

/** Finds neighbours of `id` that are not among `shown`, and the relationships to them and to those. */
export async function expand(client: Client, path: string, id: string, shown: string[]): Promise<Expansion> {
  const { of, value } = naming(id);
  const parameters = { id: value(id), shown: shown.map(value) };
  const ask = (condition: string, limit: number) =>
    collect(
      client,
      path,
      `MATCH (n)-[r]-(m) WHERE ${of('n')} = $id AND ${condition} RETURN m, collect(r)[..${MOST_BETWEEN}] AS r LIMIT ${limit}`,
      parameters,
    );
  const beyond = await ask(`NOT ${of('m')} IN $shown`, MOST_NEIGHBOURS + 1);
  const between = await ask(`${of('m')} IN $shown`, shown.length + 1);
  const neighbours = beyond.slice(0, MOST_NEIGHBOURS);
  const graph = new Graph();
  for (const value of [...neighbours, ...between].flat()) graph.add(value);
  return { graph, added: neighbours.length, hasMore: beyond.length > MOST_NEIGHBOURS };
}

async function collect(client: Client, path: string, statement: string, parameters: Record<string, unknown>) {
  const rows = [];
  for await (const { event } of client.events(path, { statement, parameters })) {
    if (event.$event === 'Record') rows.push(event._body);
  }
  return rows;
}
