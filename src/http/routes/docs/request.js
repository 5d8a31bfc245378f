// A request as the reader has filled it in: as a curl command, and sent.

import { block, h } from "./dom.js";

// The most characters of an answer that are shown.
const SHOWN = 100_000;

const element = (id) => document.getElementById(id);
const login = () => document.querySelector("input[name=login]:checked").value;

function authorization() {
  if (login() === "bearer") return `Bearer ${element("token").value}`;
  if (login() === "none") return null;
  const bytes = new TextEncoder().encode(`${element("user").value}:${element("password").value}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

// Credentials are never part of what is copied: curl asks for a password, and a token comes from the environment.
function curlLogin() {
  if (login() === "basic") return ` -u ${quoted(element("user").value)}`;
  return login() === "bearer" ? ' -H "Authorization: Bearer $TOKEN"' : "";
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curl({ method, url, headers, body }) {
  // With -X HEAD, curl would wait for a body.
  const option = method === "HEAD" ? "--head" : `-X ${method}`;
  const lines = [`curl ${option} ${quoted(url)}${curlLogin()}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push(`--data-binary ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

// Sends a request and shows its answer as it arrives.
export async function send({ method, url, headers, body }, output, signal) {
  const state = h("p", { role: "status" }, "Waiting for the answer …");
  output.replaceChildren(state);
  const credentials = authorization();
  const sent = { ...headers, ...(credentials ? { Authorization: credentials } : {}) };
  try {
    // Otherwise the browser itself would ask for a password.
    const answer = await fetch(url, { method, headers: sent, body, signal, credentials: "omit", cache: "no-store" });
    state.textContent = `${answer.status} ${answer.statusText}`;
    state.className = answer.ok ? "good" : "bad";
    const shownHeaders = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const text = block("", "Body of the answer");
    output.append(h("h4", {}, "Headers"), block(shownHeaders, "Headers of the answer"), h("h4", {}, "Body"), text);
    await show(answer, text);
  } catch (error) {
    state.textContent = `There is no answer, or it broke off: ${error.message}`;
    state.className = "bad";
  }
}

async function show(answer, text) {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let shown = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    shown += value;
    if (shown.length > SHOWN) {
      await reader.cancel();
      text.textContent = `${shown.slice(0, SHOWN)}\n… the rest is not shown`;
      return;
    }
    text.textContent = shown;
  }
  if (answer.headers.get("content-type")?.startsWith("application/json")) text.textContent = indented(shown);
}

// JSON with a member a line. Numbers stay as they are written: they may be larger than JavaScript's.
export function indented(json) {
  let [depth, out, last] = [0, "", 0];
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    last = index + token.length;
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      out = /[{[]\n *$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  }
  return out + json.slice(last);
}
