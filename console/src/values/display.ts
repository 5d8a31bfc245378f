/** Values as short text for people: in cells, captions and the inspector. */
import type { GraphNode, Value } from './typed';

/** Longer text is cut in cells; the inspector shows all of it. */
const CELL = 400;

/** What a cell shows. */
export function toCell(value: Value): string {
  const text = toText(value);
  return text.length > CELL ? `${text.slice(0, CELL)}…` : text;
}

/** The whole value in Cypher's own notation, as far as that is readable. */
export function toText(value: Value): string {
  switch (value.$type) {
    case 'String':
    case 'Integer':
    case 'Float':
      return value._value;
    case 'Null':
      return 'null';
    default:
      return inner(value);
  }
}

/** A caption for a node: the property that people most likely call it by, or its label. */
export function caption(node: GraphNode): string {
  const properties = node._properties;
  const known = CAPTIONS.find((name) => properties[name] && properties[name].$type !== 'Null');
  const texts = Object.keys(properties).filter((name) => properties[name]?.$type === 'String');
  const value = properties[known ?? texts[0] ?? ''];
  const text = value ? toText(value).trim() : '';
  return text === '' ? (node._labels[0] ?? node._element_id) : text;
}

const CAPTIONS = ['name', 'title', 'caption', 'label', 'displayName', 'fullName', 'username', 'key', 'code', 'id'];

/** A value inside of another one, where text has its quotes. */
function inner(value: Value): string {
  switch (value.$type) {
    case 'String':
      return JSON.stringify(value._value);
    case 'List':
      return `[${value._value.map(inner).join(', ')}]`;
    case 'Map':
      return map(value._value);
    case 'Vector':
      return `[${value._value.coordinates.join(', ')}]`;
    case 'Node': {
      const labels = value._value._labels.map((label) => `:${label}`).join('');
      return `(${[labels, map(value._value._properties)].filter((part) => part !== '' && part !== '{}').join(' ')})`;
    }
    case 'Relationship': {
      const properties = map(value._value._properties);
      return `[:${value._value._type}${properties === '{}' ? '' : ` ${properties}`}]`;
    }
    case 'Path':
      return path(value._value);
    case 'Null':
      return 'null';
    default:
      return String(value._value);
  }
}

function map(members: Record<string, Value>): string {
  return `{${Object.entries(members)
    .map(([key, value]) => `${key}: ${inner(value)}`)
    .join(', ')}}`;
}

function path(steps: Extract<Value, { $type: 'Path' }>['_value']): string {
  let text = '';
  let at = '';
  for (const step of steps) {
    if (step.$type === 'Node') {
      text += inner(step);
      at = step._value._element_id;
    } else {
      const forwards = step._value._start_node_element_id === at;
      text += forwards ? `-${inner(step)}->` : `<-${inner(step)}-`;
    }
  }
  return text;
}
