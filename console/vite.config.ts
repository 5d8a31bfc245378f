import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** The gateway that `npm run dev` asks. */
const gateway = process.env['BOLTGATE'] ?? 'http://127.0.0.1:7474';

/** Writes the list of files that the program holds, as Rust. */
function assetsForRust(): Plugin {
  return {
    name: 'assets-for-rust',
    generateBundle(_, bundle) {
      const names = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
      const lines = names.sort().map((name) => `    ("${name.slice('assets/'.length)}", include_bytes!("${name}")),\n`);
      this.emitFile({ type: 'asset', fileName: 'assets.rs', source: `&[\n${lines.join('')}]\n` });
    },
  };
}

export default defineConfig({
  base: '/console/',
  plugins: [svelte(), assetsForRust()],
  build: {
    target: ['chrome115', 'firefox115', 'safari16.4'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: { proxy: { '/db': gateway, '/console/config.json': gateway } },
});
