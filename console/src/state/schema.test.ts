import { expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import { Failure } from '../api/failure';
import { Schema } from './schema.svelte';

/** A database that knows these statements alone, each with rows of one text. */
function databaseWith(answers: Record<string, string[]>): Client {
  const client = new Client();
  client.events = vi.fn(async function* (_: string, body: unknown) {
    const rows = answers[(body as { statement: string }).statement];
    if (!rows) throw new Failure('Neo.ClientError.Statement.SyntaxError', 'What?', 400);
    for (const row of rows) {
      yield { line: '', event: { $event: 'Record' as const, _body: [{ $type: 'String' as const, _value: row }] } };
    }
  });
  return client;
}

it('asks Neo4j for its names', async () => {
  const schema = new Schema();
  const client = databaseWith({
    'CALL db.labels()': ['Person', 'Film'],
    'CALL db.relationshipTypes()': ['KNOWS'],
    'CALL db.propertyKeys()': [],
    'SHOW DATABASES YIELD name': ['system', 'neo4j'],
  });
  await schema.load(client, 'neo4j');
  expect([schema.labels, schema.types, schema.keys]).toEqual([['Film', 'Person'], ['KNOWS'], []]);
  expect([schema.databases, schema.functions, schema.loading]).toEqual([['neo4j', 'system'], [], false]);
});

it('asks Memgraph in its own words, and looks at the data where these say nothing', async () => {
  const schema = new Schema();
  const client = databaseWith({
    'SHOW NODE_LABELS INFO': ['Person'],
    'MATCH ()-[r]->() WITH r LIMIT 5000 RETURN DISTINCT type(r)': ['KNOWS'],
    'MATCH (n) WITH n LIMIT 5000 UNWIND keys(n) AS key RETURN DISTINCT key': ['name'],
    'CALL mg.functions() YIELD name RETURN name': ['toUpper'],
    'SHOW DATABASES': ['memgraph'],
  });
  await schema.load(client, 'memgraph');
  expect([schema.labels, schema.types, schema.keys]).toEqual([['Person'], ['KNOWS'], ['name']]);
  expect([schema.functions, schema.databases]).toEqual([['toUpper'], ['memgraph']]);
});

it('does not mix the names of two databases', async () => {
  const schema = new Schema();
  const slow = schema.load(databaseWith({ 'CALL db.labels()': ['Old'] }), 'old');
  await schema.load(databaseWith({ 'CALL db.labels()': ['New'] }), 'new');
  await slow;
  expect(schema.labels).toEqual(['New']);
});
