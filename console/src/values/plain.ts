/** Values as plain JSON text, the same that the gateway writes when it is asked for `application/json`. */
import type { GraphNode, GraphRelationship, Value } from './typed';

/** The text of a value. Integers of any size stay exact, since they never become JavaScript numbers. */
export function toJson(value: Value): string {
  switch (value.$type) {
    case 'Null':
      return 'null';
    case 'Boolean':
      return String(value._value);
    case 'Integer':
      return value._value;
    case 'Float':
      return isNumber(value._value) ? value._value : JSON.stringify(value._value);
    case 'List':
    case 'Path':
      return `[${value._value.map(toJson).join(',')}]`;
    case 'Map':
      return mapToJson(value._value);
    case 'Vector':
      return `[${value._value.coordinates.join(',')}]`;
    case 'Node':
      return nodeToJson(value._value);
    case 'Relationship':
      return relationshipToJson(value._value);
    default:
      return JSON.stringify(value._value);
  }
}

/** A row as an object, with columns named as in NDJSON: a second `name` is `name_2`. */
export function rowToJson(names: string[], row: Value[]): string {
  return `{${row.map((value, i) => `${JSON.stringify(names[i] ?? '')}:${toJson(value)}`).join(',')}}`;
}

/** The columns' names without duplicates. */
export function distinct(fields: string[]): string[] {
  const taken = new Set(fields);
  const seen = new Set<string>();
  return fields.map((field) => {
    let name = field;
    for (let n = 2; seen.has(name) || (name !== field && taken.has(name)); n++) name = `${field}_${n}`;
    seen.add(name);
    return name;
  });
}

function mapToJson(map: Record<string, Value>): string {
  const members = Object.entries(map).map(([key, value]) => `${JSON.stringify(key)}:${toJson(value)}`);
  return `{${members.join(',')}}`;
}

function nodeToJson(node: GraphNode): string {
  const { _element_id: id, _labels: labels, _properties: properties } = node;
  return `{"elementId":${JSON.stringify(id)},"labels":${JSON.stringify(labels)},"properties":${mapToJson(properties)}}`;
}

function relationshipToJson(relationship: GraphRelationship): string {
  const id = JSON.stringify(relationship._element_id);
  const start = JSON.stringify(relationship._start_node_element_id);
  const end = JSON.stringify(relationship._end_node_element_id);
  const type = JSON.stringify(relationship._type);
  const properties = mapToJson(relationship._properties);
  return `{"elementId":${id},"startNodeElementId":${start},"endNodeElementId":${end},"type":${type},"properties":${properties}}`;
}

function isNumber(text: string): boolean {
  return text !== 'NaN' && text !== 'Infinity' && text !== '-Infinity';
}
