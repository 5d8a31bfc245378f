// Web front ends in a real browser: a page of an allowed origin does everything, any other page can do nothing.
//
//   browser.mjs GATEWAY-BINARY CHROMIUM EXAMPLES REACT-PAGE

import path from "node:path";

import { browser, check, end, equal, eventually, gateway, pageAt, rebinding, site } from "./stand.mjs";

const [binary, executable, examples, react] = process.argv.slice(2);

const LIMITS = {
  // A page that has opened one in secret leaves no room for another.
  BOLTGATE_TRANSACTIONS__MAX: "1",
  // What ends a statement is that its reader leaves.
  BOLTGATE_SERVER__WRITE_STALL_TIMEOUT: "1h",
};

const allowed = await site(examples, react, path.join(react, "assets"));
const foreign = await site(examples);
const app = `http://localhost:${allowed}`;
const CORS = { BOLTGATE_CORS__ALLOWED_ORIGINS: app };
const port = await gateway(binary, { ...LIMITS, ...CORS });
const closed = await gateway(binary, { ...CORS, BOLTGATE_AUTH__ANONYMOUS: "refuse" });
const off = await gateway(binary, LIMITS);
const named = await gateway(
  binary,
  { ...CORS, BOLTGATE_NAMED__DIRECTORY: path.join(examples, "../config/named"), BOLTGATE_CYPHER__ALLOW: "[]" },
  "--sample",
);
const context = await browser(executable);

const queries = (at, host = "localhost") => `http://${host}:${at}/db/neo4j/query/v2`;

// From outside of any browser: what is there in truth.
async function count(at, label) {
  const response = await fetch(queries(at), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ statement: `MATCH (n:${label}) RETURN count(n) AS n` }),
  });
  return (await response.json()).data.values[0][0];
}

async function transactionsAreFree(at) {
  const opened = await fetch(`${queries(at)}/tx`, { method: "POST" });
  equal(opened.status, 202, "a transaction is open that nobody should have");
  const { transaction } = await opened.json();
  equal((await fetch(`${queries(at)}/tx/${transaction.id}`, { method: "DELETE" })).status, 200);
}

// ---- a page of the allowed origin -----------------------------------------------------------------------------

const page = await context.newPage();
await page.goto(`${app}/page`);

// Sends from within the page; gives status, headers that it may read, and text.
const send = (at, path, { method = "POST", headers = {}, body } = {}) =>
  page.evaluate(
    async ([address, method, headers, body]) => {
      const type = body === undefined ? {} : { "Content-Type": "application/json" };
      const response = await fetch(address, { method, headers: { ...type, ...headers }, body });
      return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
    },
    [`${queries(at)}${path}`, method, headers, body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body)],
  );
const parsed = async (answer) => JSON.parse((await answer).text);

await check("an allowed page runs a statement with credentials and reads the headers", async () => {
  const headers = { Authorization: `Basic ${btoa("neo4j:password")}`, "X-Request-Id": "from-a-page" };
  const answer = await send(port, "", { headers, body: { statement: "RETURN $x + 1 AS y", parameters: { x: 41 } } });
  equal([answer.status, JSON.parse(answer.text).data.values], [202, [[42]]]);
  equal(answer.headers["x-request-id"], "from-a-page");
});

await check("an allowed page opens a transaction with neither body nor type, uses it and commits", async () => {
  const { transaction } = await parsed(send(port, "/tx"));
  await send(port, `/tx/${transaction.id}`, { body: { statement: "CREATE (:Page {n: 1})" } });
  const committed = await send(port, `/tx/${transaction.id}/commit`);
  equal([committed.status, await count(port, "Page")], [202, 1]);
});

await check("an allowed page rolls back", async () => {
  const { transaction } = await parsed(send(port, "/tx", { body: { statement: "CREATE (:Undone)" } }));
  equal((await send(port, `/tx/${transaction.id}`, { method: "DELETE" })).status, 200);
  equal(await count(port, "Undone"), 0);
});

await check("an allowed page sends a batch and a bulk load", async () => {
  const statements = [{ statement: "CREATE (:Batch)" }, { statement: "CREATE (:Batch)" }];
  equal((await send(port, "/batch", { body: { statements } })).status, 202);
  const lines = [{ statement: "CREATE (:Load {id: $id})" }, { id: 1 }, { id: 2 }, { id: 3 }].map((line) => JSON.stringify(line));
  const load = await send(port, "/batch", { headers: { "Content-Type": "application/x-ndjson" }, body: lines.join("\n") });
  equal(JSON.parse(load.text).committed.rows, 3);
  equal([await count(port, "Batch"), await count(port, "Load")], [2, 3]);
});

await check("an allowed page repeats a request under its key and sees that it was one", async () => {
  const request = { headers: { "Idempotency-Key": "page-1" }, body: { statement: "CREATE (:Once)" } };
  await send(port, "", request);
  const again = await send(port, "", request);
  equal([again.status, again.headers["idempotency-replayed"], await count(port, "Once")], [202, "true", 1]);
});

await check("an allowed page reads errors: 400, 404, 405, 415, and 401 with its challenge", async () => {
  equal((await parsed(send(port, "", { body: { statement: "RETRUN 1" } }))).errors[0].code, "Neo.ClientError.Statement.SyntaxError");
  equal((await send(port, "/nothing", { body: {} })).status, 404);
  equal((await send(port, "", { method: "GET" })).status, 405);
  equal((await send(port, "", { headers: { "Content-Type": "text/plain" }, body: "x" })).status, 415);
  const stranger = await send(closed, "", { body: { statement: "RETURN 1" } });
  equal(stranger.status, 401);
  equal(stranger.headers["www-authenticate"].startsWith("Basic "), true, "the challenge can be read");
});

await check("an allowed page streams JSON Lines as they arrive", async () => {
  const { parts, sum, events } = await page.evaluate(async (address) => {
    const headers = { "Content-Type": "application/json", Accept: "application/jsonl" };
    const body = JSON.stringify({ statement: "UNWIND range(1, 200000) AS n RETURN n" });
    const response = await fetch(address, { method: "POST", headers, body });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let [rest, parts, sum, events] = ["", 0, 0, {}];
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts += 1;
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      for (const { $event, _body } of lines.map((line) => JSON.parse(line))) {
        events[$event] = (events[$event] ?? 0) + 1;
        if ($event === "Record") sum += _body[0];
      }
    }
    return { parts, sum, events };
  }, queries(port));
  equal(events, { Header: 1, Record: 200000, Summary: 1 });
  equal(sum, (200000 * 200001) / 2);
  equal(parts > 1, true, "it came in parts");
});

await check("an allowed page that stops reading ends its statement", async () => {
  const first = await page.evaluate(async (address) => {
    const headers = { "Content-Type": "application/json", Accept: "application/jsonl" };
    const body = JSON.stringify({ statement: "UNWIND range(1, 1000000) AS n RETURN n" });
    const stop = new AbortController();
    const response = await fetch(address, { method: "POST", headers, body, signal: stop.signal });
    const { value } = await response.body.getReader().read();
    stop.abort();
    return new TextDecoder().decode(value).split("\n")[0];
  }, queries(port));
  equal(JSON.parse(first).$event, "Header");
  await eventually("nothing runs any more", async () => {
    const { running } = await parsed(send(port, "/running", { method: "GET" }));
    return running.length === 0;
  });
});

await check("the page over named queries shows films, tells faults and revalidates, without Cypher", async () => {
  const films = await context.newPage();
  const statuses = [];
  films.on("response", (response) => statuses.push(response.status()));
  await films.goto(`${app}/named.html?gateway=http://localhost:${named}`);
  await films.getByText("4 films", { exact: true }).waitFor();
  await films.getByLabel("Actor").selectOption("Peter Lorre");
  await films.getByRole("button", { name: "Show" }).click();
  await films.getByText("3 films", { exact: true }).waitFor();
  equal(await films.locator("#films tr").last().innerText(), "M\t1931\tHans Beckert");
  await films.getByLabel("At most").fill("1000");
  await films.getByRole("button", { name: "Show" }).click();
  await films.getByText("1000 is more than 100").waitFor();
  equal(statuses.filter((status) => status !== 200), [400]);
  const [tag, again] = await films.evaluate(async (address) => {
    const first = await fetch(address);
    const tag = first.headers.get("ETag");
    return [tag, (await fetch(address, { cache: "no-store", headers: { "If-None-Match": tag } })).status];
  }, `http://localhost:${named}/db/neo4j/named/actors`);
  equal([/^W\/"[0-9a-f]{32}"$/.test(tag), again], [true, 304]);
  const own = await films.evaluate(async (address) => {
    const headers = { "Content-Type": "application/json" };
    return (await fetch(address, { method: "POST", headers, body: JSON.stringify({ statement: "RETURN 1" }) })).status;
  }, queries(named));
  equal(own, 403, "a statement of its own");
});

await check("the React page over named queries shows the films of whom one chooses", async () => {
  const films = await context.newPage();
  await films.goto(`${app}/index.html?gateway=http://localhost:${named}`);
  await films.getByText("4 films", { exact: true }).waitFor();
  await films.getByLabel("Actor").selectOption("Peter Lorre");
  await films.getByText("3 films", { exact: true }).waitFor();
  equal(await films.locator("tbody tr").last().innerText(), "M\t1931\tHans Beckert");
  await films.close();
});

await check("the example page works from an allowed origin", async () => {
  const example = await context.newPage();
  await example.goto(`${app}/browser.html?gateway=http://localhost:${port}`);
  const says = (text) => example.getByText(text, { exact: true }).waitFor();
  await example.getByRole("button", { name: "Run" }).click();
  await says("10 rows");
  equal(await example.locator("#rows tr").last().innerText(), "10\t100");
  await example.getByRole("button", { name: "Transaction" }).click();
  await says("committed; deleted 1");
  await example.close();
});

// ---- pages of other origins -----------------------------------------------------------------------------------

// All that a page can send without being asked whether it may, and some for which it is asked.
const attack = async ([queries, label]) => {
  const create = JSON.stringify({ statement: `CREATE (:${label})` });
  const outcome = (request) => request.then((response) => response.type, (error) => error.name);
  const form = document.createElement("form");
  const frame = Object.assign(document.createElement("iframe"), { name: "target" });
  Object.assign(form, { method: "POST", action: `${queries}/tx`, enctype: "text/plain", target: "target" });
  form.append(Object.assign(document.createElement("input"), { name: '{"statement":"CREATE (:Foreign)","x":"', value: '"}' }));
  document.body.append(frame, form);
  const loaded = new Promise((resolve) => { frame.onload = resolve; frame.onerror = resolve; });
  form.submit();
  const json = { "Content-Type": "application/json" };
  const results = {
    simple: await outcome(fetch(`${queries}/tx`, { method: "POST", mode: "no-cors" })),
    credentials: await outcome(fetch(`${queries}/tx`, { method: "POST", mode: "no-cors", credentials: "include" })),
    text: await outcome(fetch(queries, { method: "POST", mode: "no-cors", body: create, headers: { "Content-Type": "text/plain" } })),
    untyped: await outcome(fetch(queries, { method: "POST", mode: "no-cors", body: new Blob([create]) })),
    cors: await outcome(fetch(`${queries}/tx`, { method: "POST" })),
    json: await outcome(fetch(queries, { method: "POST", headers: json, body: create })),
    delete: await outcome(fetch(`${queries}/running/0`, { method: "DELETE" })),
    read: await outcome(fetch(`${queries}/running`)),
  };
  navigator.sendBeacon(`${queries}/tx`);
  await loaded;
  return results;
};
const UNREADABLE = {
  simple: "opaque",
  credentials: "opaque",
  text: "opaque",
  untyped: "opaque",
  cors: "TypeError",
  json: "TypeError",
  delete: "TypeError",
  read: "TypeError",
};

for (const [name, at, address] of [
  ["a page of another port", port, `http://localhost:${foreign}/`],
  ["a page of another name of this machine", port, `http://127.0.0.1:${allowed}/`],
  ["a page of another site", port, `http://evil.example:${foreign}/`],
  ["a page, where no origin is allowed,", off, `${app}/page`],
]) {
  await check(`${name} can neither change nor read anything`, async () => {
    const stranger = await context.newPage();
    await stranger.goto(address);
    equal(await stranger.evaluate(attack, [queries(at), "Foreign"]), UNREADABLE);
    await stranger.close();
    await transactionsAreFree(at);
    equal(await count(at, "Foreign"), 0);
  });
}

await check("a page whose name was rebound to this machine is told 421, and nothing else", async () => {
  const rebound = await context.newPage();
  equal((await rebound.goto(`http://evil.example:${port}/`)).status(), 421);
  // The attacker's server until the name is rebound, the gateway from then on: one origin to the browser.
  await rebound.goto(`http://evil.example:${await rebinding(port)}/attack.html`);
  const told = await rebound.evaluate(async () => {
    const tell = async (path, options) => {
      const response = await fetch(path, options);
      return [response.status, (await response.json()).errors[0].code];
    };
    const body = JSON.stringify({ statement: "CREATE (:Rebound)" });
    const json = { "Content-Type": "application/json" };
    return [
      await tell("/", {}),
      await tell("/db/neo4j/query/v2/tx", { method: "POST" }),
      await tell("/db/neo4j/query/v2", { method: "POST", headers: json, body }),
      await tell("/db/neo4j/query/v2/running", {}),
    ];
  });
  equal(told, Array(4).fill([421, "Boltgate.ClientError.Request.HostNotAllowed"]));
  await transactionsAreFree(port);
  equal(await count(port, "Rebound"), 0);
});

await check("a page of the gateway's own origin goes on without CORS", async () => {
  const own = await pageAt(context, `http://localhost:${off}/own.html`);
  const status = await own.evaluate(async () => {
    const opened = await fetch("/db/neo4j/query/v2/tx", { method: "POST" });
    const { transaction } = await opened.json();
    return [opened.status, (await fetch(`/db/neo4j/query/v2/tx/${transaction.id}`, { method: "DELETE" })).status];
  });
  equal(status, [202, 200]);
});

await end();
