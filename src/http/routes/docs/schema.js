// Schemas, as far as they are opened: schemas may contain themselves.

import { h, lazy, prose } from "./dom.js";

// What a reference within the description leads to.
export function resolve(document, value) {
  const path = value?.$ref?.slice(2).split("/");
  return path ? path.reduce((at, key) => at?.[key], document) : value;
}

const nameOf = (schema) => schema.$ref?.split("/").pop();
const quoted = (value) => JSON.stringify(value);

// A schema in a few words.
function words(schema) {
  if (schema === true || !schema || Object.keys(schema).length === 0) return "any value";
  if (schema.$ref) return nameOf(schema);
  if ("const" in schema) return quoted(schema.const);
  if (schema.enum) return schema.enum.map(quoted).join(" | ");
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return choice.map(words).join(" | ");
  if (schema.allOf) return schema.allOf.map(words).join(" & ");
  const types = [schema.type ?? "any value"].flat();
  return types.map((type) => (type === "array" && schema.items ? `array of ${words(schema.items)}` : type)).join(" | ");
}

const BOUNDS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format", "default"];

// JavaScript's numbers are not exact enough for the ends of 64-bit integers.
const ENDS = new Map([[2 ** 63, "9223372036854775807"], [-(2 ** 63), "-9223372036854775808"]]);

function bounds(schema) {
  const written = (value) => ENDS.get(value) ?? (typeof value === "string" ? value : quoted(value));
  const of = (part) => BOUNDS.filter((key) => part[key] !== undefined).map((key) => `${key} ${written(part[key])}`);
  return [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(of);
}

// What is to be seen within a schema: named schemas, and those of members and items.
function within(document, schema) {
  if (!schema || typeof schema !== "object") return [];
  if (schema.$ref) return [lazy(h("summary", {}, nameOf(schema)), () => body(document, resolve(document, schema)))];
  const parts = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const inner = parts.flatMap((part) => within(document, part));
  return schema.properties ? [members(document, schema), ...inner] : inner;
}

function members(document, schema) {
  const required = new Set(schema.required);
  const entries = Object.entries(schema.properties).flatMap(([name, member]) => [
    h("dt", {}, h("code", {}, name), ` ${words(member)}`, required.has(name) ? h("strong", {}, " required") : null),
    h("dd", {}, prose(member.description), bounds(member).map((bound) => h("div", { className: "quiet" }, bound)), within(document, member)),
  ]);
  return h("dl", {}, entries);
}

// A schema as a whole.
export function body(document, schema) {
  if (!schema || typeof schema !== "object") return [h("p", {}, words(schema))];
  const described = schema.description ? [h("p", {}, prose(schema.description))] : [];
  const limits = bounds(schema).map((bound) => h("p", { className: "quiet" }, bound));
  return [...described, h("p", { className: "quiet" }, words(schema)), ...limits, ...within(document, schema)];
}
