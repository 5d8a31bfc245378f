/** The labels, types, property keys and functions of a database. */
import { readRows } from '../api/rows';
import type { Client } from '../api/client';
import type { Value } from '../values/typed';

/**
 * The statements that list each kind of name, in order of preference: Neo4j's first, then Memgraph's, then a sample of the
 * data, which every database understands.
 */
const STATEMENTS = {
  labels: [
    'CALL db.labels()',
    'SHOW NODE_LABELS INFO',
    'MATCH (n) WITH n LIMIT 5000 UNWIND labels(n) AS label RETURN DISTINCT label',
  ],
  types: [
    'CALL db.relationshipTypes()',
    'SHOW EDGE_TYPES INFO',
    'MATCH ()-[r]->() WITH r LIMIT 5000 RETURN DISTINCT type(r)',
  ],
  keys: ['CALL db.propertyKeys()', 'MATCH (n) WITH n LIMIT 5000 UNWIND keys(n) AS key RETURN DISTINCT key'],
  functions: ['SHOW FUNCTIONS YIELD name', 'CALL mg.functions() YIELD name RETURN name'],
  procedures: ['SHOW PROCEDURES YIELD name', 'CALL mg.procedures() YIELD name RETURN name'],
  databases: ['SHOW DATABASES YIELD name', 'SHOW DATABASES'],
} as const;

type Kind = keyof typeof STATEMENTS;

export class Schema {
  labels = $state.raw<string[]>([]);
  types = $state.raw<string[]>([]);
  keys = $state.raw<string[]>([]);
  functions = $state.raw<string[]>([]);
  procedures = $state.raw<string[]>([]);
  databases = $state.raw<string[]>([]);
  loading = $state(false);
  /** The latest request wins. */
  #turn = 0;

  /** Asks for everything again. What cannot be had stays empty: the console works without it. */
  async load(client: Client, database: string): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    for (const kind of Object.keys(STATEMENTS) as Kind[]) {
      const names = await list(client, database, STATEMENTS[kind]);
      if (turn !== this.#turn) return;
      this[kind] = names;
    }
    this.loading = false;
  }

  /** Asks for the names that a statement may have added. */
  async refresh(client: Client, database: string): Promise<void> {
    const turn = ++this.#turn;
    for (const kind of ['labels', 'types', 'keys'] as const) {
      const names = await list(client, database, STATEMENTS[kind]);
      if (turn !== this.#turn) return;
      this[kind] = names;
    }
  }
}

async function list(client: Client, database: string, statements: readonly string[]): Promise<string[]> {
  for (const statement of statements) {
    try {
      const rows = await readRows(client, database, statement);
      return [...new Set(rows.map(([name]) => text(name)).filter((name) => name !== ''))].sort();
    } catch {
      // The next statement says it in another database's words.
    }
  }
  return [];
}

function text(value: Value | undefined): string {
  if (value?.$type === 'String') return value._value;
  // Memgraph may list labels together.
  return value?.$type === 'List' ? value._value.map(text).join(':') : '';
}
