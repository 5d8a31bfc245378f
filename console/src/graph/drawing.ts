/** A graph on a canvas: drawn by Cytoscape, laid out by the worker. */
import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import { caption } from '../values/display';
import type { Graph } from './collect';
import { Layout } from './layout';
import { colour, UNKNOWN } from './palette';
import { lettering, paints, stylesheet, type Lettering } from './style';

/** Elements that are added before the page gets its turn. */
const SLICE = 300;
/** The longest caption, in letters. */
const CAPTION = 22;
/** Larger graphs appear at rest. */
const ANIMATED = 300;
/** In larger graphs, what is not selected stays as it is: dimming would take too long. */
const DIMMED = 1500;

/** Few nodes need not fill the page. */
const CLOSE = 1.4;
/** What the graph leaves free, in pixels: at the top for the buttons, at the bottom for the note. */
const MARGIN = { top: 60, bottom: 40, sides: 36 };

export interface Hooks {
  selected: (id: string | null) => void;
  settled: (isSettled: boolean) => void;
  expand: (id: string) => void;
}

export class Drawing {
  readonly #cy: Core;
  readonly #layout = new Layout();
  #graph: Graph | null = null;
  #letters: Lettering | null = null;
  /** Whether somebody has moved the view, which then stays where it is. */
  #isMoved = false;
  #turn = 0;
  /** The nodes that have found their places. */
  #placed = new Set<string>();

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
    this.#cy.on('zoom', () => this.#letter());
    this.#cy.on('dragpan scrollzoom pinchzoom', () => (this.#isMoved = true));
  }

  /** Draws a graph. What was drawn already keeps its place, and only what is new looks for one. */
  async show(graph: Graph): Promise<void> {
    const turn = ++this.#turn;
    this.hooks.settled(false);
    this.#layout.stop();
    this.#cy
      .elements()
      .filter((element) => !has(graph, element.id()))
      .remove();
    const isOther = this.#cy.elements().empty();
    if (isOther) this.#isMoved = false;
    this.#graph = graph;
    this.restyle();
    const isLarge = graph.nodes.size > ANIMATED;
    // A large graph is drawn where it comes to rest; of a small one, people see how it unfolds.
    if (!isLarge) await this.#add(graph, turn, null);
    this.#arrange(graph, isOther ? 1 : 0.35, async (positions, rests) => {
      if (isLarge) await this.#add(graph, turn, positions);
      if (turn !== this.#turn) return;
      this.#place(graph, positions);
      if (!this.#isMoved) this.fit();
      if (rests) this.hooks.settled(true);
    });
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
    if (this.#cy.elements().empty()) return;
    const { x1, y1, w, h } = this.#cy.elements().boundingBox();
    const width = this.#cy.width() - 2 * MARGIN.sides;
    const height = this.#cy.height() - MARGIN.top - MARGIN.bottom;
    const zoom = Math.max(this.#cy.minZoom(), Math.min(CLOSE, width / w, height / h));
    const x = MARGIN.sides + (width - zoom * w) / 2 - zoom * x1;
    const y = MARGIN.top + (height - zoom * h) / 2 - zoom * y1;
    this.#cy.viewport({ zoom, pan: { x, y } });
  }

  /** The place that it has changed. */
  resized(): void {
    this.#cy.resize();
    if (!this.#isMoved) this.fit();
  }

  /** Takes over the page's colours. */
  restyle(): void {
    if (!this.#graph) return;
    this.#letters = lettering(this.#cy.zoom(), this.#graph);
    this.#cy.style(stylesheet(paints(), this.#letters, this.#graph));
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

  /** Adds what is not drawn yet, in slices, between which the page gets its turn. */
  async #add(graph: Graph, turn: number, positions: Float32Array | null): Promise<void> {
    const added = definitions(graph, this.#cy, positions);
    for (let i = 0; i < added.length; i += SLICE) {
      if (turn !== this.#turn) return;
      this.#cy.add(added.slice(i, i + SLICE));
      if (added.length > SLICE) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** Puts nodes into their places: two numbers each, in the graph's order. */
  #place(graph: Graph, positions: Float32Array): void {
    this.#cy.batch(() => {
      [...graph.nodes.keys()].forEach((id, i) => {
        const node = this.#cy.getElementById(id);
        const [x, y] = [positions[2 * i] as number, positions[2 * i + 1] as number];
        const old = node.position();
        if (old && (old.x !== x || old.y !== y)) node.position({ x, y });
      });
    });
  }

  /** Has nodes look for their places, beginning with those that they have. */
  #arrange(graph: Graph, heat: number, onstep: (positions: Float32Array, rests: boolean) => void): void {
    const ids = [...graph.nodes.keys()];
    const index = new Map(ids.map((id, i) => [id, i]));
    const positions = new Float32Array(ids.length * 2).fill(NaN);
    ids.forEach((id, i) => {
      if (!this.#placed.has(id)) return;
      const { x, y } = this.#cy.getElementById(id).position();
      positions.set([x, y], 2 * i);
    });
    const pairs = [...graph.relationships.values()].flatMap((relationship) => {
      const [from, to] = [relationship._start_node_element_id, relationship._end_node_element_id];
      return [index.get(from) ?? 0, index.get(to) ?? 0];
    });
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const animate = !still && ids.length <= ANIMATED;
    const [width, height] = [this.#cy.width(), Math.max(1, this.#cy.height())];
    const aspect = Math.min(2.5, Math.max(0.6, width / height));
    // Names of relationships need room. Where there is little, it is better spent on larger nodes.
    const distance = Math.min(
      105,
      Math.max(ids.length > 500 ? 50 : 70, 0.8 * Math.sqrt((width * height) / ids.length)),
    );
    const task = { positions, links: Uint32Array.from(pairs), animate, aspect, distance, heat };
    this.#layout.run(task, (step) => {
      if (step.rests) this.#placed = new Set(ids);
      onstep(step.positions, step.rests);
    });
  }

  /** Takes over the sizes of names, if the view has come so much closer or gone so much farther. */
  #letter(): void {
    if (!this.#graph) return;
    const { nodes, relationships } = lettering(this.#cy.zoom(), this.#graph);
    if (nodes !== this.#letters?.nodes || relationships !== this.#letters.relationships) this.restyle();
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
function definitions(graph: Graph, cy: Core, positions: Float32Array | null): ElementDefinition[] {
  const isNew = (id: string) => cy.getElementById(id).empty();
  const degrees = new Map<string, number>();
  for (const { _start_node_element_id: start, _end_node_element_id: end } of graph.relationships.values()) {
    for (const id of [start, end]) degrees.set(id, (degrees.get(id) ?? 0) + 1);
  }
  const nodes = [...graph.nodes.values()].map((node, i): ElementDefinition => {
    const id = node._element_id;
    return {
      group: 'nodes',
      data: {
        id,
        caption: shortened(caption(node)),
        colour: node.partial ? UNKNOWN : colour(node._labels[0]),
        partial: node.partial ?? false,
        // Those with many relationships are larger.
        size: 26 + Math.min(30, 5 * Math.sqrt(degrees.get(id) ?? 0)),
      },
      position: { x: positions?.[2 * i] ?? 0, y: positions?.[2 * i + 1] ?? 0 },
    };
  });
  const relationships = [...graph.relationships.values()].map((relationship): ElementDefinition => ({
    group: 'edges',
    data: {
      id: relationship._element_id,
      source: relationship._start_node_element_id,
      target: relationship._end_node_element_id,
      type: relationship._type,
    },
  }));
  return [...nodes, ...relationships].filter(({ data }) => isNew(data.id ?? ''));
}

/** Cytoscape could do this, too, by measuring letter after letter. */
function shortened(text: string): string {
  return text.length > CAPTION ? `${text.slice(0, CAPTION - 1)}…` : text;
}
