// Neo4j's own JavaScript driver in a page: Bolt over WebSocket, through the port of the gateway.
//
//   drivers.mjs GATEWAY-BINARY CHROMIUM EXAMPLES
//
// In front of the embedded database, and of the Neo4j at BOLTGATE_TEST_NEO4J_BOLT if there is one.

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { browser, check, end, equal, eventually, site, start } from "./stand.mjs";

const [binary, executable, examples] = process.argv.slice(2);
const DRIVER = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules/neo4j-driver/lib/browser");

const allowed = await site(examples, DRIVER);
const app = `http://localhost:${allowed}`;
const ON = { BOLTGATE_WEBSOCKET__ENABLED: "true", BOLTGATE_CORS__ALLOWED_ORIGINS: app };
const context = await browser(executable);

// Runs `work` in a page, with the driver's module and `given`.
async function within(page, work, ...given) {
  const source = `const neo4j = await import("${app}/neo4j-web.esm.min.js"); return await (${work})(neo4j.default ?? neo4j, ...given);`;
  return page.evaluate(([source, given]) => new Function("given", `return (async () => { ${source} })()`)(given), [source, given]);
}

const page = await context.newPage();
await page.goto(`${app}/page`);
const bolt = (port) => `bolt://localhost:${port}`;

// What happens to a socket without a driver, once it has sent these bytes: how it was opened and how it was closed.
const raw = async (address, bytes = []) =>
  new Promise((resolve) => {
    const socket = new WebSocket(address);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (bytes.length) socket.send(new Uint8Array(bytes));
    };
    socket.onclose = ({ code, wasClean }) => resolve({ opened, code, wasClean });
  });
const speak = ([raw, address, bytes]) => new Function(`return (${raw})`)()(address, bytes);
// The four versions are 5.4, 5.0, 4.4 and 4.1.
const HANDSHAKE = [0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 5, 0, 0, 0, 5, 0, 0, 4, 4, 0, 0, 1, 4];

// ---- what drivers do ------------------------------------------------------------------------------------------

const databases = [["the embedded database", ["--embedded"]]];
if (process.env.BOLTGATE_TEST_NEO4J_BOLT) {
  const uri = process.env.BOLTGATE_TEST_NEO4J_BOLT;
  databases.push(["Neo4j", ["--database-uri", uri.includes("://") ? uri : `bolt://${uri}`]]);
}
for (const [name, database] of databases) {
  const { port, log } = await start(binary, ON, database);
  const label = `Page${Date.now()}`;

  await check(`a driver in a page runs statements in sessions (${name})`, async () => {
    const rows = await within(page, async (neo4j, uri, label) => {
      const driver = neo4j.driver(uri);
      const session = driver.session({ database: "neo4j" });
      await session.run(`CREATE (:${label} {name: $name, born: $born})`, { name: "Ada", born: neo4j.int(1815) });
      const result = await session.run(`MATCH (n:${label}) RETURN n.name AS name, n.born AS born`);
      await session.close();
      await driver.close();
      return result.records.map((record) => [record.get("name"), record.get("born").toString()]);
    }, bolt(port), label);
    equal(rows, [["Ada", "1815"]]);
  });

  await check(`a driver in a page commits and rolls back transactions (${name})`, async () => {
    const counts = await within(page, async (neo4j, uri, label) => {
      const driver = neo4j.driver(uri);
      const session = driver.session({ database: "neo4j" });
      const count = () => session.executeRead(async (tx) =>
        (await tx.run(`MATCH (n:${label}) RETURN count(n) AS n`)).records[0].get("n").toNumber());
      const before = await count();
      await session.executeWrite((tx) => tx.run(`CREATE (:${label})`));
      const undone = session.beginTransaction();
      await undone.run(`CREATE (:${label})`);
      await undone.rollback();
      const after = await count();
      const failed = await session.run("RETURN 1 +").then(() => null, (error) => error.code);
      const still = await session.run("RETURN 1 AS one");
      await session.run(`MATCH (n:${label}) DETACH DELETE n`);
      await driver.close();
      return [before, after, failed, still.records.length];
    }, bolt(port), label);
    equal(counts, [1, 2, "Neo.ClientError.Statement.SyntaxError", 1]);
  });

  await check(`big results and big parameters pass (${name})`, async () => {
    const figures = await within(page, async (neo4j, uri) => {
      const driver = neo4j.driver(uri, undefined, { disableLosslessIntegers: true });
      const session = driver.session({ database: "neo4j" });
      let sum = 0;
      await new Promise((resolve, reject) =>
        session.run("UNWIND range(1, 100000) AS n RETURN n, 'text ' + toString(n) AS text")
          .subscribe({ onNext: (record) => { sum += record.get("n"); }, onCompleted: resolve, onError: reject }));
      const text = "x".repeat(4 * 1024 * 1024);
      const sizes = await session.run("RETURN size($text) AS size, $text AS text", { text });
      await driver.close();
      return [sum, sizes.records[0].get("size"), sizes.records[0].get("text") === text];
    }, bolt(port));
    equal(figures, [(100000 * 100001) / 2, 4 * 1024 * 1024, true]);
  });

  await check(`many sessions at a time (${name})`, async () => {
    const sum = await within(page, async (neo4j, uri) => {
      const driver = neo4j.driver(uri, undefined, { disableLosslessIntegers: true, maxConnectionPoolSize: 8 });
      const one = async (n) => {
        const session = driver.session({ database: "neo4j" });
        const result = await session.run("RETURN $n AS n", { n });
        await session.close();
        return result.records[0].get("n");
      };
      const all = await Promise.all(Array.from({ length: 40 }, (_, n) => one(n)));
      await driver.close();
      return all.reduce((sum, n) => sum + n, 0);
    }, bolt(port));
    equal(sum, 780);
  });

  await check(`the log says when sockets are closed (${name})`, () =>
    eventually("a line", () => /a WebSocket was closed.*reason=(done|database) /.test(log())));
}

// ---- who may, and how it ends ---------------------------------------------------------------------------------

const { port } = await start(binary, ON);

await check("the example page of a driver works", async () => {
  const example = await context.newPage();
  await example.goto(`${app}/neo4j-driver.html?uri=${bolt(port)}`);
  await example.getByRole("button", { name: "Run" }).click();
  await example.getByText("10 rows", { exact: true }).waitFor();
  equal(await example.locator("#rows tr").last().innerText(), "10\t100");
  await example.close();
});

await check("pages of foreign origins, and of none, get no socket", async () => {
  const foreign = await site(examples, DRIVER);
  for (const address of [`http://localhost:${foreign}/`, `http://127.0.0.1:${allowed}/`, `http://evil.example:${foreign}/`]) {
    const stranger = await context.newPage();
    await stranger.goto(address);
    for (const route of ["", "/bolt"]) {
      equal(await stranger.evaluate(raw, `ws://localhost:${port}${route}`), { opened: false, code: 1006, wasClean: false }, address);
    }
    await stranger.close();
  }
  const sandboxed = await context.newPage();
  await sandboxed.goto(`${app}/page`);
  const told = await sandboxed.evaluate(([port, source]) => new Promise((resolve) => {
    onmessage = ({ data }) => resolve(data);
    const frame = Object.assign(document.createElement("iframe"), { sandbox: "allow-scripts" });
    frame.srcdoc = `<script>(${source})("ws://localhost:${port}").then((end) => parent.postMessage(end.opened, "*"))</script>`;
    document.body.append(frame);
  }), [port, raw.toString()]);
  equal(told, false, "a page with the origin null");
  await sandboxed.close();
});

await check("a page of the gateway's own origin gets one without being listed", async () => {
  const alone = await start(binary, { BOLTGATE_WEBSOCKET__ENABLED: "true" });
  const own = await context.newPage();
  await own.goto(`http://localhost:${alone.port}/docs`);
  const opened = await own.evaluate((address) => new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.onopen = () => { socket.close(); resolve(true); };
    socket.onerror = () => resolve(false);
  }), `ws://localhost:${alone.port}/bolt`);
  equal(opened, true);
  await own.close();
});

await check("where it is off, there is no socket", async () => {
  const off = await start(binary, { BOLTGATE_CORS__ALLOWED_ORIGINS: app });
  equal((await page.evaluate(raw, `ws://localhost:${off.port}/`)).opened, false);
});

await check("an idle socket is closed, and the driver opens another one", async () => {
  const settings = { BOLTGATE_WEBSOCKET__IDLE_TIMEOUT: "2s", BOLTGATE_LOG__FILTER: "info,boltgate::websocket=debug" };
  const short = await start(binary, { ...ON, ...settings });
  const socket = await page.evaluate(speak, [raw.toString(), `ws://localhost:${short.port}/`, HANDSHAKE]);
  equal(socket, { opened: true, code: 1001, wasClean: true });
  await within(page, async (neo4j, uri) => {
    globalThis.kept = neo4j.driver(uri);
    await globalThis.kept.executeQuery("RETURN 1", {}, { database: "neo4j" });
  }, bolt(short.port));
  // A page that is slow loses sockets in the midst of their work, and its driver opens more of them than one.
  const times = (line) => short.log().match(line)?.length ?? 0;
  await eventually("all are closed", () => times(/a WebSocket was closed/g) === times(/a WebSocket was opened/g));
  equal(times(/a WebSocket was closed.*reason=idle/g) >= 2, true, "one of the driver among them");
  const rows = await page.evaluate(async () => {
    const { records } = await globalThis.kept.executeQuery("RETURN 1 AS one", {}, { database: "neo4j" });
    await globalThis.kept.close();
    return records.length;
  });
  equal(rows, 1);
});

await check("SIGTERM closes sockets with 1001", async () => {
  const settings = { ...ON, BOLTGATE_SERVER__SHUTDOWN_TIMEOUT: "100ms", BOLTGATE_LOG__FILTER: "info,boltgate::websocket=debug" };
  const ending = await start(binary, settings);
  const closed = page.evaluate(speak, [raw.toString(), `ws://localhost:${ending.port}/`, HANDSHAKE]);
  await eventually("it is open", () => /a WebSocket was opened/.test(ending.log()));
  ending.child.kill("SIGTERM");
  equal(await closed, { opened: true, code: 1001, wasClean: true });
});

await check("bolt+s:// goes through TLS of the gateway's own", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "boltgate-tls-"));
  try {
    const [certificate, key] = ["cert.pem", "key.pem"].map((name) => path.join(folder, name));
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    execFileSync("openssl", [...made, "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key], { stdio: "ignore" });
    const tls = { BOLTGATE_SERVER__TLS__CERTIFICATE: certificate, BOLTGATE_SERVER__TLS__KEY: key };
    const secure = await start(binary, { ...ON, ...tls });
    const rows = await within(page, async (neo4j, uri) => {
      const driver = neo4j.driver(uri);
      const { records } = await driver.executeQuery("UNWIND range(1, 20000) AS n RETURN n", {}, { database: "neo4j" });
      await driver.close();
      return records.length;
    }, `bolt+s://localhost:${secure.port}`);
    equal(rows, 20000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

await end();
