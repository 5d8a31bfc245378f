// Reads an answer with Node's fetch: fetch.mjs URL ACCEPT STATEMENT. Says what fetch said of the body, if it failed.

const [url, accept, statement] = process.argv.slice(2);
const headers = { 'Content-Type': 'application/json', Accept: accept };
const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ statement }) });
if (answer.status !== 200) throw new Error(`status ${answer.status}`);
const said = await answer.text().then(() => 'whole', (error) => `failed: ${error.message}`);
console.log(said);
