import { expect, it } from 'vitest';
import type { NodeValue, RelationshipValue, Value } from '../values/typed';
import { Graph, MOST_NODES } from './collect';
import { naming } from './expand';
import { COLOURS, UNKNOWN, colour } from './palette';
import { lettering, MANY } from './style';

const node = (id: string): NodeValue => ({
  $type: 'Node',
  _value: { _element_id: id, _labels: ['A'], _properties: {} },
});
const between = (id: string, from: string, to: string): RelationshipValue => ({
  $type: 'Relationship',
  _value: { _element_id: id, _start_node_element_id: from, _end_node_element_id: to, _type: 'T', _properties: {} },
});
const graphOf = (...values: Value[]) => {
  const graph = new Graph();
  for (const value of values) graph.add(value);
  return graph;
};

it('finds elements wherever they are, each once', () => {
  const graph = graphOf(
    node('n1'),
    { $type: 'List', _value: [node('n1'), { $type: 'Map', _value: { deep: node('n2') } }] },
    { $type: 'Path', _value: [node('n2'), between('r1', 'n2', 'n3'), node('n3')] },
  );
  expect([...graph.nodes.keys()]).toEqual(['n1', 'n2', 'n3']);
  expect([...graph.relationships.keys()]).toEqual(['r1']);
});

it('gives every relationship both ends', () => {
  const whole = graphOf(node('n1'), between('r1', 'n1', 'n2')).complete();
  expect([...whole.nodes.values()].map(({ _element_id: id, partial }) => [id, partial])).toEqual([
    ['n1', undefined],
    ['n2', true],
  ]);
  // Once the node itself is there, it is whole.
  expect(whole.with(graphOf(node('n2'))).nodes.get('n2')?.partial).toBeUndefined();
});

it('draws no more than can be looked at, and says so', () => {
  const many = Array.from({ length: MOST_NODES + 1 }, (_, i) => node(`n${i}`));
  const graph = graphOf(...many, between('r', 'n0', 'elsewhere'));
  expect([graph.nodes.size, graph.isCut]).toEqual([MOST_NODES, true]);
  expect(graph.complete().relationships.size).toBe(0);
});

it('keeps the colour of a label', () => {
  expect(colour('First')).toBe(colour('First'));
  expect(colour('First')).not.toBe(colour('Second'));
  expect(colour(undefined)).toBe(UNKNOWN);
});

/** The contrast of two colours (WCAG 2.2). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((i) => {
      const part = parseInt(colour.slice(i, i + 2), 16) / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

it.each([...COLOURS, UNKNOWN])('%s is seen on light and dark paper', (colour) => {
  for (const paper of ['#fbfaf8', '#ffffff', '#131519', '#1a1d23']) {
    expect(contrast(colour, paper), paper).toBeGreaterThanOrEqual(3);
  }
});

it.each([
  ['4:0e5a6f3c-7c1e-4a4a-9b43-2f3b0a1f0d57:17', 'elementId(n)', '4:0e5a6f3c-7c1e-4a4a-9b43-2f3b0a1f0d57:17'],
  ['#13:0', 'elementId(n)', '#13:0'],
  ['17', 'id(n)', 17],
])('finds %s as the database that gave it does', (id, name, parameter) => {
  const { of, value } = naming(id);
  expect([of('n'), value(id)]).toEqual([name, parameter]);
});

it('writes names that can be read from afar, unless there are too many', () => {
  const few = graphOf(node('n1'));
  // On the screen, in pixels; the smallest view shows where the graph lies, and no more.
  const shown = [2, 1, 0.8, 0.6, 0.45, 0.04].map((zoom) => Math.round(lettering(zoom, few).nodes * zoom));
  expect(shown).toEqual([24, 12, 10, 10, 9, 1]);
  expect([0.79, 0.8].map((zoom) => lettering(zoom, few).relationships)).toEqual([0, 9.5]);
  const many = graphOf(...Array.from({ length: MANY + 1 }, (_, i) => node(`n${i}`)));
  expect(lettering(0.45, many)).toEqual({ nodes: 12, relationships: 0 });
});
