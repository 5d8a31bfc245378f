// Reads a graph document in Cytoscape's shape from standard input, and writes what Cytoscape has then.

import { text } from 'node:stream/consumers';
import cytoscape from 'cytoscape';

// It says what is wrong with elements and goes on; here that is an error.
console.warn = console.error = (message) => {
  throw new Error(message);
};

const { elements } = JSON.parse(await text(process.stdin));
const cy = cytoscape({ headless: true, elements });
if (cy.elements().length !== elements.length) throw new Error('elements are missing');

const nodes = {};
cy.nodes().forEach((node) => {
  const { labels, properties, partial = false } = node.data();
  nodes[node.id()] = { labels, properties, partial, classes: [...new Set(node.classes())].sort() };
});
const edges = {};
cy.edges().forEach((edge) => {
  const { type, properties } = edge.data();
  const [source, target] = [edge.source().id(), edge.target().id()];
  edges[edge.id()] = { source, target, type, properties, classes: edge.classes() };
});
console.log(JSON.stringify({ nodes, edges }));
