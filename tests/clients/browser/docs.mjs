// The page that renders the API's description, at /docs: read, filtered, tried, by mouse and keyboard, in light and dark.
//
//   docs.mjs GATEWAY-BINARY CHROMIUM

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { browser, check, end, equal, start } from "./stand.mjs";

const [binary, executable] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const context = await browser(executable);
const { port } = await start(binary, {});
const origin = `http://localhost:${port}`;

// What a page may not do: complain, or ask anybody else.
const complaints = [];
const page = await context.newPage();
page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));
page.on("request", (request) => request.url().startsWith(`${origin}/`) || request.url().startsWith("data:") || complaints.push(request.url()));

const operation = (id) => page.locator(`details.operation#${id}`);

await check("the page lists every operation and every schema", async () => {
  await page.goto(`${origin}/docs`);
  const api = await (await fetch(`${origin}/openapi.json`)).json();
  const ids = Object.values(api.paths).flatMap((item) => Object.values(item).flatMap((operation) => operation.operationId ?? []));
  await operation(ids.at(-1)).waitFor();
  equal((await page.locator("details.operation").evaluateAll((all) => all.map(({ id }) => id))).sort(), ids.sort());
  equal(await page.locator("#schemas > details").count(), Object.keys(api.components.schemas).length);
  equal(await page.locator("#version").textContent(), api.info.version);
});

await check("each operation can be opened, and says what it takes and answers", async () => {
  for (const one of await page.locator("details.operation").all()) {
    await one.locator("> summary").click();
    await one.getByRole("heading", { name: "Responses" }).waitFor();
    await one.locator("> summary").click();
  }
});

await check("a link opens its operation", async () => {
  await page.goto(`${origin}/docs#cancel`);
  await operation("cancel").getByRole("heading", { name: "Responses" }).waitFor();
  await page.getByRole("link", { name: "POST /db/{db}/query/v2", exact: true }).click();
  await operation("query").getByRole("heading", { name: "Responses" }).waitFor();
});

await check("a schema that contains itself can be opened again and again", async () => {
  const value = page.locator("#schema-PlainValue");
  await value.locator("> summary").click();
  await value.getByText("PlainValue", { exact: true }).nth(1).click();
  await value.getByText("PlainValue", { exact: true }).nth(2).click();
  equal(await value.getByText("maximum 9223372036854775807").count() >= 2, true);
});

await check("a statement can be tried, with the keyboard alone", async () => {
  const query = operation("query");
  const form = query.locator("details", { has: page.locator("textarea") }).last();
  await query.getByText("Try it, or copy as curl").focus();
  await page.keyboard.press("Enter");
  const body = query.getByRole("textbox", { name: "Body" });
  await body.fill('{"statement": "RETURN 9223372036854775807 AS n, $x AS x", "parameters": {"x": "ä\\"b"}}');
  await query.getByRole("button", { name: "Send" }).focus();
  await page.keyboard.press("Enter");
  await query.getByText("202 Accepted").waitFor();
  const answer = query.getByLabel("Body of the answer");
  await answer.getByText('"fields"').waitFor();
  const text = await answer.textContent();
  equal([text.includes("9223372036854775807"), JSON.parse(text).data.values[0][1]], [true, 'ä"b'], text);
  equal(await form.count(), 1);
});

await check("the same as curl leaves credentials out", async () => {
  await page.locator("#login > summary").click();
  await page.getByLabel("User and password").check();
  await page.getByRole("textbox", { name: "User", exact: true }).fill("ada");
  await page.getByRole("textbox", { name: "Password" }).fill("secret-1");
  await operation("query").getByRole("button", { name: "Copy as curl" }).click();
  const command = await page.getByLabel("The command").textContent();
  equal([command.includes("-u 'ada'"), command.includes("secret-1"), command.includes(`'${origin}/db/neo4j/query/v2'`)], [true, false, true], command);
});

await check("the filter leaves what has its words", async () => {
  await page.getByLabel("Filter").fill("running delete");
  equal(await page.locator("details.operation:visible").evaluateAll((all) => all.map(({ id }) => id)), ["cancel"]);
  await page.getByLabel("Filter").fill("no such thing");
  await page.getByText("Nothing here has these words.").waitFor();
  await page.getByLabel("Filter").fill("");
});

for (const [name, colorScheme, width] of [["light", "light", 1200], ["dark", "dark", 1200], ["on a phone", "light", 360]]) {
  await check(`anybody can use it (${name})`, async () => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    equal(violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 120)]), []);
    equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "it is not too wide");
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, summary, input, select, nav a")]
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24 && element.type !== "radio")
        .map((element) => element.outerHTML.slice(0, 80)));
    equal(small, [], "targets are large enough");
  });
}

await check("it asks nobody else, and breaks no rule of its policy", () => equal(complaints, []));

await end();
