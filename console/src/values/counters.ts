/** What a statement has changed, in words. */

const NAMES: Record<string, [string, string]> = {
  nodesCreated: ['node created', 'nodes created'],
  nodesDeleted: ['node deleted', 'nodes deleted'],
  relationshipsCreated: ['relationship created', 'relationships created'],
  relationshipsDeleted: ['relationship deleted', 'relationships deleted'],
  propertiesSet: ['property set', 'properties set'],
  labelsAdded: ['label added', 'labels added'],
  labelsRemoved: ['label removed', 'labels removed'],
  indexesAdded: ['index added', 'indexes added'],
  indexesRemoved: ['index removed', 'indexes removed'],
  constraintsAdded: ['constraint added', 'constraints added'],
  constraintsRemoved: ['constraint removed', 'constraints removed'],
};

/** One text for each kind of change that there was. */
export function changes(counters: Record<string, number | boolean> | undefined): string[] {
  return Object.entries(NAMES).flatMap(([name, [one, many]]) => {
    const count = counters?.[name];
    return typeof count === 'number' && count > 0 ? [`${count.toLocaleString('en')} ${count === 1 ? one : many}`] : [];
  });
}
