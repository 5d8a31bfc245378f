/** Values as the Query API's typed JSON (1.2) has them: every type is told, and integers are exact. */

export interface GraphNode {
  _element_id: string;
  _labels: string[];
  _properties: Record<string, Value>;
}

export interface GraphRelationship {
  _element_id: string;
  _start_node_element_id: string;
  _end_node_element_id: string;
  _type: string;
  _properties: Record<string, Value>;
}

interface Vector {
  coordinatesType: string;
  coordinates: string[];
}

type Text =
  | 'Integer'
  | 'Float'
  | 'String'
  | 'Base64'
  | 'Date'
  | 'Time'
  | 'LocalTime'
  | 'OffsetDateTime'
  | 'ZonedDateTime'
  | 'LocalDateTime'
  | 'Duration'
  | 'Point'
  | 'UUID'
  | 'Unsupported';

export type NodeValue = { $type: 'Node'; _value: GraphNode };
export type RelationshipValue = { $type: 'Relationship'; _value: GraphRelationship };

export type Value =
  | { $type: 'Null'; _value: null }
  | { $type: 'Boolean'; _value: boolean }
  | { $type: Text; _value: string }
  | { $type: 'List'; _value: Value[] }
  | { $type: 'Map'; _value: Record<string, Value> }
  | { $type: 'Vector'; _value: Vector }
  | NodeValue
  | RelationshipValue
  | { $type: 'Path'; _value: (NodeValue | RelationshipValue)[] };

export type Row = Value[];
