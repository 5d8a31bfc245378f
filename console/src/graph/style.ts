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

export function stylesheet({ paper, ink, soft, edge, accent, font }: Paints, graph: Graph): StylesheetJson {
  const isLarge = graph.relationships.size > MANY || graph.nodes.size > MANY;
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
        'font-size': 12,
        'font-weight': 500,
        'min-zoomed-font-size': 6,
        'text-valign': 'bottom',
        'text-margin-y': 5,
        'text-background-color': paper,
        'text-background-opacity': isLarge ? 0 : 0.8,
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
        width: isLarge ? 1 : 1.5,
        'line-color': edge,
        'line-opacity': isLarge ? 0.5 : 0.75,
        'target-arrow-color': edge,
        'target-arrow-shape': 'triangle',
        'arrow-scale': 0.85,
        'curve-style': isLarge ? 'straight' : 'bezier',
        'overlay-opacity': 0,
        ...(isLarge
          ? {}
          : {
              label: 'data(type)',
              color: soft,
              'font-family': font,
              'font-size': 9.5,
              'min-zoomed-font-size': 8,
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
