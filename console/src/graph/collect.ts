/** The nodes and relationships in a result, in order of first appearance, wherever they are in its values. */
import type { GraphNode, GraphRelationship, Value } from '../values/typed';

/** What is drawn of a result at most. */
export const MOST_NODES = 5000;
export const MOST_RELATIONSHIPS = 10000;

export interface DrawnNode extends GraphNode {
  /** The result names it only as the end of a relationship. */
  partial?: boolean;
}

export class Graph {
  readonly nodes = new Map<string, DrawnNode>();
  readonly relationships = new Map<string, GraphRelationship>();
  /** Whether there was more than is drawn. */
  isCut = false;

  /** Adds what a value holds. */
  add(value: Value): void {
    switch (value.$type) {
      case 'Node':
        this.#addNode(value._value);
        break;
      case 'Relationship':
        this.#addRelationship(value._value);
        break;
      case 'List':
      case 'Path':
        for (const item of value._value) this.add(item);
        break;
      case 'Map':
        for (const item of Object.values(value._value)) this.add(item);
        break;
    }
  }

  /** The graph with an end for both sides of every relationship. */
  complete(): Graph {
    const whole = new Graph();
    whole.isCut = this.isCut;
    for (const [id, node] of this.nodes) whole.nodes.set(id, node);
    for (const [id, relationship] of this.relationships) {
      const ends = [relationship._start_node_element_id, relationship._end_node_element_id];
      for (const end of ends) {
        if (whole.nodes.has(end)) continue;
        if (whole.nodes.size >= MOST_NODES) whole.isCut = true;
        else whole.nodes.set(end, { _element_id: end, _labels: [], _properties: {}, partial: true });
      }
      if (ends.every((end) => whole.nodes.has(end))) whole.relationships.set(id, relationship);
    }
    return whole;
  }

  /** A graph with everything of both. */
  with(other: Graph): Graph {
    const both = new Graph();
    for (const graph of [this, other]) {
      for (const node of graph.nodes.values()) both.#addNode(node);
      for (const relationship of graph.relationships.values()) both.#addRelationship(relationship);
      both.isCut ||= graph.isCut;
    }
    return both;
  }

  #addNode(node: DrawnNode): void {
    const known = this.nodes.get(node._element_id);
    if (known && !known.partial) return;
    if (!known && this.nodes.size >= MOST_NODES) this.isCut = true;
    else this.nodes.set(node._element_id, node);
  }

  #addRelationship(relationship: GraphRelationship): void {
    if (this.relationships.has(relationship._element_id)) return;
    if (this.relationships.size >= MOST_RELATIONSHIPS) this.isCut = true;
    else this.relationships.set(relationship._element_id, relationship);
  }
}
