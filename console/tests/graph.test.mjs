/** The graph: drawn, read with the keyboard, looked into, expanded. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ask, useBrowser } from './support.mjs';

const { consoleTest } = useBrowser();

const CASABLANCA = 'MATCH (f:Film {title: "Casablanca"}) RETURN f';

consoleTest('what is drawn is counted, and has a legend', async ({ ui, page }) => {
  await ui.run('MATCH (p:Person)-[r:ACTED_IN]->(f:Film {title: "Casablanca"}) RETURN p, r, f');
  await ui.settled();
  const people = Number(await ui.attribute('graph', 'data-relationships'));
  assert.equal(Number(await ui.attribute('graph', 'data-nodes')), people + 1);
  assert.equal(await page.getByRole('list', { name: 'Labels' }).getByRole('listitem').count(), 2);
  assert.equal(await page.getByRole('listbox', { name: 'Nodes' }).getByRole('option').count(), people + 1);
  // A path and a list hold nodes as well.
  await ui.run('MATCH p = (:Person)-[:DIRECTED]->(:Film {title: "M"}) RETURN [p, 1] AS deep');
  await ui.settled();
  assert.deepEqual(
    [await ui.attribute('graph', 'data-nodes'), await ui.attribute('graph', 'data-relationships')],
    ['2', '1'],
  );
});

consoleTest('a relationship alone gets both its ends', async ({ ui }) => {
  await ui.run('MATCH ()-[r:DIRECTED]->(:Film {title: "M"}) RETURN r');
  await ui.settled();
  assert.deepEqual(
    [await ui.attribute('graph', 'data-nodes'), await ui.attribute('graph', 'data-relationships')],
    ['2', '1'],
  );
});

consoleTest('the list of nodes is the graph for the keyboard', async ({ ui, page }) => {
  await ui.run('MATCH (p:Person)-[:DIRECTED]->(f:Film) RETURN p, f ORDER BY p.name');
  await ui.settled();
  const list = page.getByRole('listbox', { name: 'Nodes' });
  await list.focus();
  await page.keyboard.press('ArrowDown');
  const active = await list.getAttribute('aria-activedescendant');
  const option = page.locator(`#${active}`);
  await page.keyboard.press('Enter');
  assert.equal(await option.getAttribute('aria-selected'), 'true');
  const inspector = page.getByRole('region', { name: 'Properties' });
  const text = await inspector.innerText();
  assert.ok(text.includes(await option.innerText()));
  assert.ok(text.includes(await option.getAttribute('data-element-id')));
});

consoleTest('a click on the canvas selects', async ({ ui, page }) => {
  await ui.run(CASABLANCA);
  await ui.settled();
  // A graph of one node is in the middle.
  const box = await ui.id('graph').boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2 - 8);
  await ui.id('inspector').getByText('1942').waitFor();
  const label = await ui.id('inspector').innerText();
  assert.match(label, /Film/);
});

consoleTest('neighbours are added, and it is said if there are more', async ({ ui, page, gateway }) => {
  await ui.run(CASABLANCA);
  await ui.settled();
  await ui.id('graph-node').click();
  await ui.id('expand').click();
  await ui.until(async () => Number(await ui.attribute('graph', 'data-nodes')) > 1);
  await ui.settled();
  const [nodes, relationships] = [
    await ui.attribute('graph', 'data-nodes'),
    await ui.attribute('graph', 'data-relationships'),
  ];
  const expected = await ask(
    gateway,
    'MATCH (:Film {title: "Casablanca"})-[r]-(m) RETURN count(DISTINCT m) + 1, count(r)',
  );
  assert.deepEqual([Number(nodes), Number(relationships)], expected.data.values[0]);

  await ask(gateway, 'CREATE (h:Hub {name: "hub"}) WITH h UNWIND range(1, 150) AS i CREATE (h)-[:TO]->(:Spoke {i: i})');
  await ui.run('MATCH (h:Hub) RETURN h');
  await ui.settled();
  await ui.id('graph-node').click();
  for (const [count, more] of [
    [101, true],
    [151, false],
  ]) {
    await ui.id('expand').click();
    await ui.until(async () => Number(await ui.attribute('graph', 'data-nodes')) === count);
    assert.equal((await page.getByRole('group', { name: 'Graph' }).innerText()).includes('there are more'), more);
  }
  await ask(gateway, 'MATCH (n) WHERE n:Hub OR n:Spoke DETACH DELETE n');
});

consoleTest('the picture can be fitted and saved', async ({ ui, page }) => {
  await ui.run('MATCH (a)-[r]->(b) RETURN a, r, b');
  await ui.settled();
  await ui.id('graph-fit').click();
  const [download] = await Promise.all([page.waitForEvent('download'), ui.id('graph-png').click()]);
  assert.equal(download.suggestedFilename(), 'graph.png');
  assert.deepEqual([...(await readFile(await download.path())).subarray(1, 4)], [...Buffer.from('PNG')]);
});

consoleTest(
  'with reduced motion, the graph appears at rest',
  async ({ ui, page }) => {
    await page.evaluate(() => {
      window.steps = 0;
      const Original = window.Worker;
      window.Worker = class extends Original {
        constructor(...options) {
          super(...options);
          this.addEventListener('message', () => window.steps++);
        }
      };
    });
    await ui.run('MATCH (a)-[r]->(b) RETURN a, r, b');
    await ui.settled();
    assert.equal(await page.evaluate(() => window.steps), 1);
  },
  { reducedMotion: 'reduce' },
);

/** An answer with this many nodes, each with relationships to two others. */
function largeAnswer(count) {
  const node = (i) => ({
    $type: 'Node',
    _value: {
      _element_id: `n${i}`,
      _labels: [`Label${i % 5}`],
      _properties: { name: { $type: 'String', _value: `node ${i}` } },
    },
  });
  const to = (i, j, id) => ({
    $type: 'Relationship',
    _value: {
      _element_id: id,
      _start_node_element_id: `n${i}`,
      _end_node_element_id: `n${j}`,
      _type: 'TO',
      _properties: {},
    },
  });
  const rows = Array.from({ length: count }, (_, i) => [
    node(i),
    to(i, (i * 7 + 1) % count, `a${i}`),
    to(i, (i * 13 + 5) % count, `b${i}`),
  ]);
  const events = [
    { $event: 'Header', _body: { fields: ['n', 'a', 'b'] } },
    ...rows.map((row) => ({ $event: 'Record', _body: row })),
    { $event: 'Summary', _body: { queryType: 'r' } },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

consoleTest('2 000 nodes and 4 000 relationships settle, and the page answers meanwhile', async ({ ui, page }) => {
  // The embedded database would take longer to store them than the page to draw them.
  await page.route('**/query/v2', (route) => {
    if (!route.request().postData().includes('Large')) return route.continue();
    const contentType = 'application/vnd.neo4j.query.v1.2+jsonl';
    return route.fulfill({ status: 202, contentType, body: largeAnswer(2000) });
  });
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ entryTypes: ['longtask'] });
  });
  const begun = Date.now();
  assert.equal(await ui.run('MATCH (n:Large)-[a]->(), (n)-[b]->() RETURN n, a, b'), 'done');
  await ui.editor.press('End');
  await page.keyboard.type(' // meanwhile');
  await ui.settled();
  const counts = [await ui.attribute('graph', 'data-nodes'), await ui.attribute('graph', 'data-relationships')];
  assert.deepEqual(counts, ['2000', '4000']);
  // Figures for people: on a busy machine they say nothing that a test could hold on to.
  console.log(
    `settled after ${Date.now() - begun} ms, longest task ${await page.evaluate(() => Math.round(window.longest))} ms`,
  );
});
