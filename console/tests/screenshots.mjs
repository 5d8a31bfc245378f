/** Takes the pictures of docs/console.md: `node tests/screenshots.mjs FOLDER`. */
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startBrowser, startGateway, withConsole } from './support.mjs';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('usage: node tests/screenshots.mjs FOLDER');
await mkdir(folder, { recursive: true });

const GRAPH = 'MATCH (p:Person)-[r]->(f:Film)\nWHERE f.year < 1943 RETURN p, r, f';
const FILMS =
  'MATCH (p:Person)-[:ACTED_IN]->(f:Film)\nRETURN f.title AS film, f.year AS year, count(p) AS cast, collect(p.name) AS actors\nORDER BY year LIMIT 6';
const DESKTOP = { viewport: { width: 1100, height: 640 }, reducedMotion: 'reduce' };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' };

const FORMS = { CYPHER__ALLOW: '[]', NAMED__DIRECTORY: fileURLToPath(new URL('named', import.meta.url)) };

const pictures = () => ({
  graph: [{ ...DESKTOP, colorScheme: 'light' }, draw('Casablanca')],
  'graph-dark': [{ ...DESKTOP, colorScheme: 'dark' }, draw('Casablanca')],
  table: [{ ...DESKTOP, colorScheme: 'dark' }, ({ ui }) => ui.run(FILMS)],
  error: [
    { ...DESKTOP, viewport: { width: 1100, height: 420 } },
    ({ ui }) => ui.run('MATCH (p:Person)\nRETURN person.name'),
  ],
  phone: [
    PHONE,
    async ({ ui, page }) => {
      await ui.run(GRAPH);
      await ui.settled();
      await page.evaluate(() => scrollTo(0, 0));
    },
  ],
  named: [DESKTOP, callNamed, forms],
});

async function callNamed({ ui, page }) {
  const form = page.getByRole('form', { name: 'Who made a film' });
  await form.getByRole('textbox', { name: 'title' }).fill('Casablanca');
  await form.getByRole('combobox', { name: 'part' }).selectOption('ACTED_IN');
  await ui.id('run').click();
  await ui.settled();
}

function draw(name) {
  return async ({ ui }) => {
    await ui.run(GRAPH);
    await ui.settled();
    await ui.id('graph-node').filter({ hasText: name }).click();
  };
}

const [browser, gateway, forms] = await Promise.all([startBrowser(), startGateway(), startGateway(undefined, FORMS)]);
for (const [name, [options, show, at = gateway]] of Object.entries(pictures())) {
  await withConsole(browser, at, options, async (stage) => {
    if (at === gateway) await stage.ui.id('schema-key').first().waitFor();
    await show(stage);
    const path = `${folder}/console-${name}.png`;
    await stage.page.screenshot({ path, animations: 'disabled' });
    console.log(`# ${path}: ${(await stat(path)).size} bytes`);
  });
}
await browser.close();
await Promise.all([gateway.stop(), forms.stop()]);
