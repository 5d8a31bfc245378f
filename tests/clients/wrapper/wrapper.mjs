// What the README of Neo4j's wrapper of the Query API shows first, and the driver's other first steps.
import assert from 'node:assert/strict'
import neo4j from '@neo4j-labs/experimental-query-api-wrapper'

const wrapper = neo4j.wrapper(process.argv[2], neo4j.auth.basic('neo4j', 'password'))
const session = wrapper.session({ database: 'neo4j' })
let failed = false

async function step(name, run) {
  try {
    await run()
    console.log(`ok - wrapper: ${name}`)
  } catch (error) {
    failed = true
    console.log(`not ok - wrapper: ${name}`)
    console.error(error)
  }
}

const refuses = (name, code, run) => step(`refuses ${name}`, () => assert.rejects(run, { code }))
const first = async (statement, parameters) => (await session.run(statement, parameters)).records[0]
// As the driver's own values print themselves: a date of numbers is a date of its integers.
const text = (value) => (value?.constructor === Object || Array.isArray(value) ? JSON.stringify(value) : String(value))

await step('creates nodes and a relationship', async () => {
  const record = await first(
    'CREATE (a:Person {name: $name, born: date("1815-12-10")})-[r:KNOWS {since: 1833}]->(b:Person {name: "Charles"}) RETURN a, r, b',
    { name: 'Ada' })
  const [a, r, b] = [record.get('a'), record.get('r'), record.get('b')]
  assert.deepEqual([a.labels, a.properties.name, a.properties.born.toString()], [['Person'], 'Ada', '1815-12-10'])
  assert.deepEqual([r.type, r.properties.since.toNumber()], ['KNOWS', 1833])
  assert.deepEqual([r.startNodeElementId, r.endNodeElementId], [a.elementId, b.elementId])
})

await step('reads in read mode', async () => {
  const reading = wrapper.session({ database: 'neo4j', defaultAccessMode: 'READ' })
  const { records } = await reading.run('MATCH (p:Person) RETURN p ORDER BY p.name')
  await reading.close()
  assert.deepEqual(records.map((record) => record.get('p').properties.name), ['Ada', 'Charles'])
})

await step('reads a path', async () => {
  const path = (await first('MATCH path = (:Person {name: "Ada"})-[:KNOWS]->() RETURN path')).get('path')
  assert.deepEqual([path.length, path.start.properties.name, path.end.properties.name], [1, 'Ada', 'Charles'])
})

await step('sends and reads values', async () => {
  const { DateTime, Duration, Date: Day } = neo4j.types
  const given = {
    integer: neo4j.int('9007199254740993'), float: 1.5, string: 'ü', flag: true, nothing: null, list: [1.5, 'a', null], map: { k: 'v' },
    day: new Day(2026, 2, 28), pause: new Duration(1, 2, 3, 4), when: new DateTime(2026, 2, 28, 12, 50, 35, 0, 3600),
  }
  const names = Object.keys(given)
  const found = await first(`RETURN ${names.map((name) => `$${name} AS ${name}`).join(', ')}`, given)
  for (const name of names) {
    assert.equal(text(found.get(name)), text(given[name]), name)
  }
})

await step('rolls a transaction back', async () => {
  const transaction = await session.beginTransaction()
  await transaction.run('CREATE (:Gone)')
  await transaction.rollback()
  assert.equal((await first('MATCH (n:Gone) RETURN count(n) AS n')).get('n').toNumber(), 0)
})

await step('commits a managed transaction', async () => {
  await session.executeWrite((transaction) => transaction.run('CREATE (:Kept)'))
  const { records } = await session.executeRead((transaction) => transaction.run('MATCH (n:Kept) RETURN count(n) AS n'))
  assert.equal(records[0].get('n').toNumber(), 1)
})

await step('runs many statements at once', async () => {
  const all = Array.from({ length: 30 }, async (_, i) => {
    const one = wrapper.session({ database: 'neo4j' })
    const { records } = await one.run('RETURN $i AS i', { i: neo4j.int(i) })
    await one.close()
    return records[0].get('i').toNumber()
  })
  assert.equal((await Promise.all(all)).reduce((sum, i) => sum + i), 435)
})

await refuses('a statement with a mistake', 'Neo.ClientError.Statement.SyntaxError', () => session.run('MATCH (n'))
await refuses('a write in read mode', 'Neo.ClientError.Statement.AccessMode', () =>
  wrapper.session({ database: 'neo4j', defaultAccessMode: 'READ' }).run('CREATE (:Never)'))
await refuses('an unknown database', 'Neo.ClientError.Database.DatabaseNotFound', () =>
  wrapper.session({ database: 'nowhere' }).run('RETURN 1'))

await session.close()
await wrapper.close()
process.exitCode = failed ? 1 : 0
