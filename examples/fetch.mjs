// Uses Boltgate with nothing but fetch: a query, numbers that JavaScript would change, a transaction, and rows as they arrive.
//
//   boltgate serve --embedded          # in another terminal
//   node examples/fetch.mjs            # Node 18 or later
//
// BOLTGATE_URL (default http://127.0.0.1:7474), BOLTGATE_DATABASE (default neo4j) and
// BOLTGATE_USER (name:password, if the database requires it) select the server.

const url = process.env.BOLTGATE_URL ?? "http://127.0.0.1:7474";
const queries = `${url}/db/${process.env.BOLTGATE_DATABASE ?? "neo4j"}/query/v2`;
const user = process.env.BOLTGATE_USER;

async function post(address, body, accept = "application/json") {
  const headers = { "Content-Type": "application/json", Accept: accept };
  if (user) headers.Authorization = `Basic ${Buffer.from(user).toString("base64")}`;
  return fetch(address, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
}

// Returns the members of the response. An error can also occur after rows have been sent, so the status alone is not enough.
async function run(address, body) {
  const answer = await (await post(address, body)).json();
  if (answer.errors) throw new Error(`${answer.errors[0].code}: ${answer.errors[0].message}`);
  return answer;
}

// Yields the events of a JSON Lines response one by one, without waiting for its end.
async function* events(body) {
  const response = await post(queries, body, "application/jsonl");
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

// Run a query.
const { data } = await run(queries, { statement: "RETURN $x + 1 AS y", parameters: { x: 41 } });
console.log(data.fields, data.values);

// Numbers. JSON.stringify(4.0) is "4", which is an integer to the database; typed JSON says what is meant, in both directions
// and beyond 2 ** 53, where JavaScript's own numbers are rounded.
const integer = (value) => ({ $type: "Integer", _value: String(value) });
const float = (value) => ({ $type: "Float", _value: String(value) });
const typed = "application/vnd.neo4j.query";
const numbers = await fetch(queries, {
  method: "POST",
  headers: { "Content-Type": typed, Accept: typed, ...(user && { Authorization: `Basic ${btoa(user)}` }) },
  body: JSON.stringify({
    statement: "RETURN $half / 2 AS half, $large + 1 AS large",
    parameters: { half: float(1), large: integer(9007199254740993n) },
  }),
});
const [half, large] = (await numbers.json()).data.values[0];
console.log("half", Number(half._value), "large", BigInt(large._value));

// Run a transaction over several requests.
const { transaction } = await run(`${queries}/tx`, { statement: "CREATE (:ExampleFetch {n: 1})" });
const inside = await run(`${queries}/tx/${transaction.id}`, {
  statement: "MATCH (n:ExampleFetch) DELETE n RETURN count(*) AS deleted",
});
console.log("deleted", inside.data.values[0][0]);
const { bookmarks } = await run(`${queries}/tx/${transaction.id}/commit`);
console.log("committed", bookmarks.length === 1);

// Cause an error.
await run(queries, { statement: "RETRUN 1" }).catch((error) => console.log(error.message.slice(0, 60)));

// Receive rows as they arrive. Leaving the loop early would close the connection, which cancels the statement.
let sum = 0;
for await (const event of events({ statement: "UNWIND range(1, 100000) AS n RETURN n" })) {
  if (event.$event === "Record") sum += event._body[0];
  if (event.$event === "Error") throw new Error(event._body[0].message);
  if (event.$event === "Summary") console.log("summed", sum, event._body.queryType);
}
