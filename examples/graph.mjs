// Asks for a graph and hands it to Cytoscape.js without a page: how many elements there are, and the shortest path.
//
//   boltgate serve --embedded                     # in another terminal
//   npm install cytoscape && node examples/graph.mjs
//
// BOLTGATE_URL (default http://127.0.0.1:7474), BOLTGATE_DATABASE (default neo4j) and
// BOLTGATE_USER (name:password, if the database requires it) select the server.

import cytoscape from "cytoscape";

const url = process.env.BOLTGATE_URL ?? "http://127.0.0.1:7474";
const queries = `${url}/db/${process.env.BOLTGATE_DATABASE ?? "neo4j"}/query/v2`;
const user = process.env.BOLTGATE_USER;

async function graph(statement) {
  const headers = { "Content-Type": "application/json", Accept: "application/vnd.boltgate.graph+json;shape=cytoscape" };
  if (user) headers.Authorization = `Basic ${Buffer.from(user).toString("base64")}`;
  const response = await fetch(queries, { method: "POST", headers, body: JSON.stringify({ statement }) });
  const { elements, errors } = await response.json();
  // They can also come after elements: what fitted is there then.
  if (errors) throw new Error(`${errors[0].code}: ${errors[0].message}`);
  return elements;
}

const elements = await graph(`
  CREATE (a:Stop {name: 'Harbour'})-[:LINE {minutes: 4}]->(b:Stop {name: 'Market'})-[:LINE {minutes: 3}]->(c:Stop {name: 'Castle'}),
         (a)-[:LINE {minutes: 9}]->(c)
  WITH a, b, c
  MATCH (x)-[line:LINE]->(y) WHERE x IN [a, b] AND y IN [b, c]
  RETURN x, line, y`);
const cy = cytoscape({ headless: true, elements });
console.log(`${cy.nodes(".Stop").length} stops, ${cy.edges(".LINE").length} lines`);

const stop = (name) => cy.nodes().filter((node) => node.data("properties").name === name);
const weight = (edge) => edge.data("properties").minutes;
const { path, distance } = cy.elements().aStar({ root: stop("Harbour"), goal: stop("Castle"), weight, directed: true });
console.log(`${path.nodes().map((node) => node.data("properties").name).join(" – ")}: ${distance} minutes`);

await graph("MATCH (n:Stop) DETACH DELETE n");
