/** Files with the rows that are shown. */
import type { Result } from '../state/result.svelte';
import { distinct, rowToJson } from '../values/plain';
import { toCsv } from './csv';

export function saveCsv({ fields, rows }: Result): void {
  save('result.csv', new Blob([toCsv(fields, rows)], { type: 'text/csv;charset=utf-8' }));
}

export function saveJson({ fields, rows }: Result): void {
  const names = distinct(fields);
  const text = `[\n${rows.map((row) => rowToJson(names, row)).join(',\n')}\n]\n`;
  save('result.json', new Blob([text], { type: 'application/json' }));
}

/** Has the browser save a file. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it over by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
