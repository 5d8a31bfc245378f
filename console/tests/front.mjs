/** Stands before a gateway and gives the page's files from a folder, so that a change of the page needs no `cargo build`. */
import { readFile } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { extname } from 'node:path';
import { pipeline } from 'node:stream';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Starts it. Returns its address, and how it is stopped. */
export async function startFront(gateway, folder) {
  const server = createServer((request, response) => {
    const file = fileOf(request.url);
    // The policy of a file is that of the gateway's page.
    const path = file ? '/console' : request.url;
    const headers = file ? { host: request.headers.host } : request.headers;
    const passed = send(gateway + path, { method: request.method, headers }, async (answer) => {
      if (file) {
        answer.resume();
        const content = await readFile(`${folder}/${file}`);
        const policy = answer.headers['content-security-policy'];
        response
          .writeHead(200, { 'Content-Security-Policy': policy, 'Content-Type': TYPES[extname(file)] })
          .end(content);
      } else {
        response.writeHead(answer.statusCode, answer.headers);
        pipeline(answer, response, () => undefined);
      }
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

/** The file that a path names; `null` for what is the gateway's. */
function fileOf(url) {
  const { pathname } = new URL(url, 'http://gateway');
  if (pathname.startsWith('/console/assets/')) return pathname.slice('/console/'.length);
  return ['/console', '/console/callback'].includes(pathname) ? 'index.html' : null;
}
