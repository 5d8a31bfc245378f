// One operation: what it is, what it takes, what it answers, and a form to try it.

import { block, h, lazy, prose } from "./dom.js";
import { curl, send } from "./request.js";
import { body as schema, resolve } from "./schema.js";

let forms = 0;

// The section of an operation. `api` is the whole description.
export function section(api, path, method, shared, operation) {
  const summary = h(
    "summary",
    {},
    h("span", { className: `method ${method}` }, method.toUpperCase()),
    h("code", {}, path),
    h("span", { className: "quiet" }, operation.summary ?? ""),
  );
  const parameters = [...(shared ?? []), ...(operation.parameters ?? [])].map((parameter) => resolve(api, parameter));
  const content = () => [
    h("p", {}, prose(operation.description)),
    h("p", { className: "quiet" }, login(operation, api)),
    ...parameterList(api, parameters),
    ...requestBody(api, operation),
    ...responses(api, operation),
    lazy(h("summary", {}, "Try it, or copy as curl"), () => form(api, path, method, parameters, operation)),
  ];
  return lazy(summary, content, { className: "operation", id: operation.operationId });
}

function login(operation, api) {
  const schemes = operation.security ?? api.security ?? [];
  const names = schemes.flatMap((scheme) => Object.keys(scheme));
  if (names.length === 0) return "Needs no credentials.";
  const optional = schemes.some((scheme) => Object.keys(scheme).length === 0);
  return `Credentials: ${names.join(" or ")}${optional ? ", or none where the database needs none" : ""}.`;
}

function parameterList(api, parameters) {
  if (parameters.length === 0) return [];
  const entries = parameters.flatMap(({ name, in: place, required, description, schema: of }) => [
    h("dt", {}, h("code", {}, name), ` in ${place}`, required ? h("strong", {}, " required") : null),
    h("dd", {}, prose(description), schema(api, of)),
  ]);
  return [lazy(h("summary", {}, `Parameters (${parameters.length})`), () => h("dl", {}, entries))];
}

// Media types that have the same schema share their entry.
function mediaTypes(api, content) {
  const groups = new Map();
  for (const [type, media] of Object.entries(content ?? {})) {
    const key = JSON.stringify(media.schema ?? {});
    if (!groups.has(key)) groups.set(key, { types: [], media });
    const group = groups.get(key);
    group.types.push(type);
    if (example(api, media) !== undefined) group.media = media;
  }
  return [...groups.values()].flatMap(({ types, media }) => [
    h("p", {}, types.flatMap((type, at) => [at ? ", " : "", h("code", {}, type)])),
    ...shown(example(api, media), types[0]),
    lazy(h("summary", {}, "Schema"), () => schema(api, media.schema)),
  ]);
}

function example(api, media) {
  if (!media) return undefined;
  if (media.example !== undefined) return media.example;
  const first = Object.values(media.examples ?? {})[0];
  return resolve(api, first)?.value;
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function shown(value, name) {
  return value === undefined ? [] : [block(written(value), `Example of ${name}`)];
}

function requestBody(api, operation) {
  const request = resolve(api, operation.requestBody);
  if (!request) return [];
  return [h("h3", {}, "Request body", request.required ? "" : " (optional)"), h("div", {}, mediaTypes(api, request.content))];
}

function responses(api, operation) {
  const entries = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const { description, headers, content } = resolve(api, response);
    const summary = h("summary", {}, h("strong", { className: status < 400 ? "good" : "bad" }, status), " ", prose(description));
    return lazy(summary, () => [
      ...headerList(api, headers),
      ...mediaTypes(api, content),
    ]);
  });
  return [h("h3", {}, "Responses"), h("div", {}, entries)];
}

function headerList(api, headers) {
  if (!headers) return [];
  const entries = Object.entries(headers).flatMap(([name, header]) => [
    h("dt", {}, h("code", {}, name)),
    h("dd", {}, prose(resolve(api, header).description)),
  ]);
  return [h("dl", {}, entries)];
}

// ---- trying -----------------------------------------------------------------------------------------------------

function form(api, path, method, parameters, operation) {
  forms += 1;
  const content = resolve(api, operation.requestBody)?.content;
  const offered = Object.entries(operation.responses ?? {})
    .filter(([status]) => status < 300)
    .flatMap(([, response]) => Object.keys(resolve(api, response).content ?? {}));
  // JSON comes first, as it does without `Accept`.
  const accepted = [...new Set(offered)].sort((one, other) => (other === "application/json") - (one === "application/json"));
  const fields = parameters.map((parameter) => ({ parameter, input: field(parameter) }));
  const accept = choice("Accept", accepted);
  const type = choice("Content-Type", Object.keys(content ?? {}));
  const text = content ? h("textarea", { id: `body-${forms}`, spellcheck: false }) : null;
  const sample = () => {
    if (text) text.value = written(example(api, content[type.select.value]) ?? {});
  };
  type.select.addEventListener("change", sample);
  sample();

  const request = () => {
    const at = { path: {}, query: new URLSearchParams(), headers: {} };
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") at.path[parameter.name] = encodeURIComponent(input.value);
      else if (input.value !== "" && parameter.in === "query") at.query.append(parameter.name, input.value);
      else if (input.value !== "" && parameter.in === "header") at.headers[parameter.name] = input.value;
    }
    if (accepted.length) at.headers.Accept = accept.select.value;
    if (text && text.value.trim()) at.headers["Content-Type"] = type.select.value;
    const target = path.replace(/\{(\w+)\}/g, (_, name) => at.path[name] ?? "").slice(1);
    const query = at.query.toString();
    const url = new URL(query ? `${target}?${query}` : target, new URL(".", location.href));
    return { method: method.toUpperCase(), url: url.href, headers: at.headers, body: text?.value.trim() ? text.value : undefined };
  };
  const output = h("div", {});
  let running = null;
  const run = h("button", { type: "button" }, "Send");
  const stop = h("button", { type: "button", hidden: true }, "Stop");
  const copy = h("button", { type: "button" }, "Copy as curl");
  const told = h("span", { role: "status" });
  run.addEventListener("click", async () => {
    running?.abort();
    const own = (running = new AbortController());
    stop.hidden = false;
    await send(request(), output, own.signal);
    if (running === own) stop.hidden = true;
  });
  stop.addEventListener("click", () => running?.abort());
  copy.addEventListener("click", async () => {
    const command = curl(request());
    output.replaceChildren(block(command, "The command"));
    // Pages that did not come over HTTPS, or from this machine, have no clipboard.
    told.textContent = (await navigator.clipboard?.writeText(command).then(() => "Copied.", () => "")) ?? "";
  });
  return [
    h("div", { className: "fields" }, fields.map(({ parameter, input }) => h("label", {}, `${parameter.name} `, input)), accepted.length > 1 ? accept.label : null, content ? type.label : null),
    text ? h("label", {}, "Body ", text) : null,
    h("div", { className: "buttons" }, run, stop, copy, told),
    output,
  ].filter(Boolean);
}

function field({ schema: of, example: value, required }) {
  if (of?.enum) {
    const options = required ? of.enum : ["", ...of.enum];
    return h("select", {}, options.map((option) => h("option", { value: option ?? "" }, String(option ?? ""))));
  }
  return h("input", { value: required ? String(value ?? "") : "", spellcheck: false, autocomplete: "off" });
}

function choice(name, options) {
  const select = h("select", {}, options.map((option) => h("option", {}, option)));
  return { select, label: h("label", {}, `${name} `, select) };
}
