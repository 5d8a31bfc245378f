/** The events of an answer in typed JSON Lines, and its summary. */
import type { Row, Value } from '../values/typed';
import type { Told } from './failure';

export interface Plan {
  operatorType: string;
  arguments: Record<string, Value>;
  identifiers: string[];
  children: Plan[];
  dbHits?: number;
  records?: number;
  rows?: number;
}

export interface Notification {
  code?: string;
  title?: string;
  description?: string;
  severity?: string;
}

export interface Summary {
  counters?: Record<string, number | boolean>;
  notifications?: Notification[];
  queryPlan?: Plan;
  profiledQueryPlan?: Plan;
  queryType?: string;
  resultConsumedAfter?: number;
  bookmarks?: string[];
  transaction?: { id: string; expires: string };
}

export type Event =
  | { $event: 'Header'; _body: { fields: string[] } }
  | { $event: 'Record'; _body: Row }
  | { $event: 'Summary'; _body: Summary }
  | { $event: 'Error'; _body: Told[] };
