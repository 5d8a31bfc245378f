// Renders the API's description: an index, the operations by their tags, the schemas.

import { h, lazy, prose } from "./dom.js";
import { section } from "./operation.js";
import { body } from "./schema.js";

const METHODS = ["get", "head", "put", "post", "delete", "patch"];
const element = (id) => document.getElementById(id);

const answer = await fetch("openapi.json", { credentials: "omit" });
if (!answer.ok) element("about").textContent = `The description cannot be loaded: ${answer.status}`;
const api = await answer.json();

element("version").textContent = api.info.version;
element("about").replaceChildren(...prose(api.info.description));

// Each operation, with what the filter searches.
const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => {
    const operation = item[method];
    const text = [method, path, operation.operationId, operation.summary, operation.description].join(" ").toLowerCase();
    const link = h("a", { href: `#${operation.operationId}` }, h("span", { className: `method ${method}` }, method.toUpperCase()), " ", h("code", {}, path));
    return { tag: operation.tags?.[0] ?? "other", text, section: section(api, path, method, item.parameters, operation), entry: h("li", {}, link) };
  }),
);

const tags = [...new Set([...(api.tags ?? []).map((tag) => tag.name), ...operations.map(({ tag }) => tag)])];
const groups = tags.map((tag) => {
  const own = operations.filter((operation) => operation.tag === tag);
  const described = api.tags?.find(({ name }) => name === tag)?.description;
  const heading = h("h2", {}, tag);
  element("operations").append(h("section", { "aria-label": tag }, heading, h("p", {}, prose(described)), own.map((operation) => operation.section)));
  element("index").append(h("h2", {}, tag), h("ul", {}, own.map((operation) => operation.entry)));
  return { own, parts: [heading.parentElement, element("index").lastChild.previousSibling, element("index").lastChild] };
});

const schemas = Object.entries(api.components?.schemas ?? {}).map(([name, schema]) => ({
  text: `schema ${name}`.toLowerCase(),
  section: lazy(h("summary", {}, h("code", {}, name)), () => body(api, schema), { id: `schema-${name}` }),
}));
element("schemas").append(h("h2", {}, "Schemas"), ...schemas.map(({ section }) => section));

element("filter").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ({ text }) => words.every((word) => text.includes(word));
  let found = 0;
  for (const operation of operations) {
    operation.section.hidden = operation.entry.hidden = !matches(operation);
    found += operation.section.hidden ? 0 : 1;
  }
  for (const { own, parts } of groups) {
    for (const part of parts) part.hidden = own.every(({ section }) => section.hidden);
  }
  for (const schema of schemas) {
    schema.section.hidden = !matches(schema);
    found += schema.section.hidden ? 0 : 1;
  }
  element("schemas").hidden = schemas.every(({ section }) => section.hidden);
  element("none").textContent = found ? "" : "Nothing here has these words.";
});

// A link to an operation opens it.
function openTarget() {
  const target = element(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView();
  target.querySelector("summary").focus({ preventScroll: true });
}
addEventListener("hashchange", openTarget);
openTarget();
