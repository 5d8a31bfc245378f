/** A graph on a canvas: drawn by Cytoscape, laid out by the worker. */
import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import { caption } from '../values/display';
import type { Graph } from './collect';
import { Layout } from './layout';
import { colour, UNKNOWN } from './palette';
import { paints, stylesheet } from './style';

/** Elements that are added before the page gets its turn. */
const SLICE = 300;
/** Larger graphs appear at rest. */
const ANIMATED = 300;
/** In larger graphs, what is not selected stays as it is: dimming would take too long. */
const DIMMED = 1500;

export interface Hooks {
  selected: (id: string | null) => void;
  settled: (isSettled: boolean) => void;
  expand: (id: string) => void;
}

export class Drawing {
  readonly #cy: Core;
  readonly #layout = new Layout();
  #graph: Graph | null = null;
  /** Whether somebody has moved the view, which then stays where it is. */
  #isMoved = false;
  #turn = 0;

  constructor(
    container: HTMLElement,
    private readonly hooks: Hooks,
  ) {
    this.#cy = cytoscape({
      container,
      minZoom: 0.04,
      maxZoom: 4,
      boxSelectionEnabled: false,
      selectionType: 'single',
      hideEdgesOnViewport: false,
      textureOnViewport: false,
    });
    this.#cy.on('select', ({ target }) => {
      this.#highlight();
      hooks.selected(target.id());
    });
    this.#cy.on('unselect', () => {
      this.#highlight();
      if (this.#cy.$(':selected').empty()) hooks.selected(null);
    });
    this.#cy.on('dbltap', 'node', ({ target }) => hooks.expand(target.id()));
    this.#cy.on('dragpan scrollzoom pinchzoom', () => (this.#isMoved = true));
  }

  /** Draws a graph. What was drawn already keeps its place, and only what is new looks for one. */
  async show(graph: Graph): Promise<void> {
    const turn = ++this.#turn;
    this.hooks.settled(false);
    this.#layout.stop();
    const isNew = this.#cy.elements().empty();
    this.#cy
      .elements()
      .filter((element) => !has(graph, element.id()))
      .remove();
    const isOther = this.#cy.elements().empty();
    if (isOther) this.#isMoved = false;
    this.#graph = graph;
    this.restyle();
    const added = definitions(graph, this.#cy);
    for (let i = 0; i < added.length; i += SLICE) {
      this.#cy.add(added.slice(i, i + SLICE));
      if (added.length > SLICE) await new Promise((resolve) => setTimeout(resolve));
      if (turn !== this.#turn) return;
    }
    this.#resize();
    this.#arrange(graph, isNew || isOther ? 1 : 0.35);
  }

  /** Selects what has this element id, and brings it into sight. */
  select(id: string): void {
    const element = this.#cy.getElementById(id);
    this.#cy.$(':selected').unselect();
    element.select();
    const { x1, y1, x2, y2 } = this.#cy.extent();
    const box = element.boundingBox();
    const isInSight = box.x1 >= x1 && box.x2 <= x2 && box.y1 >= y1 && box.y2 <= y2;
    if (!isInSight && element.nonempty()) this.#cy.center(element);
  }

  deselect(): void {
    this.#cy.$(':selected').unselect();
  }

  fit(): void {
    this.#isMoved = false;
    this.#cy.resize();
    this.#cy.fit(undefined, 36);
    // A few nodes need not fill the page.
    if (this.#cy.zoom() > 1.4) {
      this.#cy.zoom(1.4);
      this.#cy.center();
    }
  }

  /** The place that it has changed. */
  resized(): void {
    this.#cy.resize();
    if (!this.#isMoved) this.fit();
  }

  /** Takes over the page's colours. */
  restyle(): void {
    if (this.#graph) this.#cy.style(stylesheet(paints(), this.#graph));
  }

  /** The whole graph as a picture. */
  png(): Promise<Blob> {
    return this.#cy.png({
      output: 'blob-promise',
      full: true,
      scale: 2,
      bg: paints().paper,
      maxWidth: 6000,
      maxHeight: 6000,
    });
  }

  destroy(): void {
    this.#turn++;
    this.#layout.stop();
    this.#cy.destroy();
  }

  #resize(): void {
    const nodes = this.#cy.nodes();
    this.#cy.batch(() =>
      nodes.forEach((node) => void node.data('size', 26 + Math.min(30, 5 * Math.sqrt(node.degree(false))))),
    );
  }

  #arrange(graph: Graph, heat: number): void {
    const nodes = this.#cy.nodes();
    const index = new Map(nodes.map((node, i) => [node.id(), i]));
    const positions = new Float32Array(nodes.length * 2);
    nodes.forEach((node, i) => {
      const { x, y } = node.position();
      positions.set(node.data('placed') ? [x, y] : [NaN, NaN], 2 * i);
    });
    const pairs = [...graph.relationships.values()].flatMap((relationship) => {
      const [from, to] = [relationship._start_node_element_id, relationship._end_node_element_id];
      return [index.get(from) ?? 0, index.get(to) ?? 0];
    });
    const aspect = Math.min(2.5, Math.max(0.6, this.#cy.width() / Math.max(1, this.#cy.height())));
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const animate = !still && nodes.length <= ANIMATED;
    this.#layout.run({ positions, links: Uint32Array.from(pairs), animate, aspect, heat }, (step) => {
      this.#cy.batch(() => {
        nodes.forEach((node, i) => {
          node.position({ x: step.positions[2 * i] as number, y: step.positions[2 * i + 1] as number });
        });
      });
      if (!this.#isMoved) this.fit();
      if (!step.rests) return;
      this.#cy.batch(() => nodes.forEach((node) => void node.data('placed', true)));
      this.hooks.settled(true);
    });
  }

  /** What is selected and its neighbours stand out. */
  #highlight(): void {
    const elements = this.#cy.elements();
    if (elements.length > DIMMED) return;
    const selected = this.#cy.$(':selected');
    this.#cy.batch(() => {
      elements.removeClass('dim');
      if (selected.nonempty())
        elements.not(selected.closedNeighborhood().union(selected.connectedNodes())).addClass('dim');
    });
  }
}

function has(graph: Graph, id: string): boolean {
  return graph.nodes.has(id) || graph.relationships.has(id);
}

/** What is not drawn yet: nodes first, since a relationship needs its ends. */
function definitions(graph: Graph, cy: Core): ElementDefinition[] {
  const isNew = (id: string) => cy.getElementById(id).empty();
  const nodes = [...graph.nodes.values()].filter((node) => isNew(node._element_id));
  const relationships = [...graph.relationships.values()].filter((relationship) => isNew(relationship._element_id));
  return [
    ...nodes.map((node): ElementDefinition => ({
      group: 'nodes',
      data: {
        id: node._element_id,
        caption: caption(node),
        colour: node.partial ? UNKNOWN : colour(node._labels[0]),
        partial: node.partial ?? false,
        size: 30,
      },
    })),
    ...relationships.map((relationship): ElementDefinition => ({
      group: 'edges',
      data: {
        id: relationship._element_id,
        source: relationship._start_node_element_id,
        target: relationship._end_node_element_id,
        type: relationship._type,
      },
    })),
  ];
}
