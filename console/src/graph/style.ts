/** How nodes and relationships look, in the page's own colours. */
import type { StylesheetJson } from 'cytoscape';
import type { Graph } from './collect';

/** With more relationships than this, they are straight and bare: nobody could read their names. */
export const MANY = 400;

export interface Paints {
  paper: string;
  ink: string;
  soft: string;
  edge: string;
  accent: string;
  font: string;
}

/** The page's colours as they are now. */
export function paints(): Paints {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    paper: value('--paper'),
    ink: value('--ink'),
    soft: value('--soft'),
    edge: value('--edge'),
    accent: value('--accent'),
    font: value('--sans'),
  };
}

/** The sizes of names, in the graph's own pixels; 0 for none. */
export interface Lettering {
  nodes: number;
  relationships: number;
}

/** Names of nodes can be read from afar, unless there are too many. Those of relationships give way to them. */
export function lettering(zoom: number, graph: Graph): Lettering {
  if (isLarge(graph)) return { nodes: 12, relationships: 0 };
  return {
    nodes: Math.min(20, Math.max(12, 2 * Math.round(4.5 / zoom))),
    relationships: zoom < 0.8 ? 0 : 9.5,
  };
}

function isLarge(graph: Graph): boolean {
  return graph.relationships.size > MANY || graph.nodes.size > MANY;
}

export function stylesheet(
  { paper, ink, soft, edge, accent, font }: Paints,
  letters: Lettering,
  graph: Graph,
): StylesheetJson {
  const large = isLarge(graph);
  return [
    {
      selector: 'node',
      style: {
        width: 'data(size)',
        height: 'data(size)',
        'background-color': 'data(colour)',
        'border-width': 2,
        'border-color': paper,
        label: 'data(caption)',
        color: ink,
        'font-family': font,
        'font-size': letters.nodes,
        'font-weight': 500,
        'min-zoomed-font-size': 6,
        'text-valign': 'bottom',
        'text-margin-y': 5,
        'text-background-color': paper,
        'text-background-opacity': large ? 0 : 0.8,
        'text-background-padding': '2px',
        'overlay-opacity': 0,
      },
    },
    {
      selector: 'node[?partial]',
      style: { 'background-opacity': 0.25, 'border-style': 'dashed', 'border-color': edge },
    },
    {
      selector: 'edge',
      style: {
        width: large ? 1 : 1.5,
        'line-color': edge,
        'line-opacity': large ? 0.5 : 0.75,
        'target-arrow-color': edge,
        'target-arrow-shape': 'triangle',
        'arrow-scale': 0.85,
        'curve-style': large ? 'straight' : 'bezier',
        'overlay-opacity': 0,
        ...(letters.relationships === 0
          ? {}
          : {
              label: 'data(type)',
              color: soft,
              'font-family': font,
              'font-size': letters.relationships,
              'text-rotation': 'autorotate',
              'text-background-color': paper,
              'text-background-opacity': 0.9,
              'text-background-padding': '2px',
            }),
      },
    },
    { selector: '.dim', style: { opacity: 0.3 } },
    { selector: 'node:selected', style: { 'border-color': accent, 'border-width': 4, 'font-weight': 700 } },
    {
      selector: 'edge:selected',
      style: { 'line-color': accent, 'target-arrow-color': accent, 'line-opacity': 1, width: 3 },
    },
  ];
}
