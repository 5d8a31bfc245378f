/** JSON Lines from a body, as they arrive. */

/** No more than this many milliseconds are spent before the page answers its user again. */
const SLICE = 24;

/** Yields each line of a body. Between slices of work, the page gets its turn. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let since = performance.now();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += value ? decoder.decode(value, { stream: true }) : decoder.decode();
      let from = 0;
      for (let to = rest.indexOf('\n'); to >= 0; to = rest.indexOf('\n', from)) {
        if (to > from) yield rest.slice(from, to);
        from = to + 1;
        if (performance.now() - since > SLICE) {
          await new Promise((resolve) => setTimeout(resolve));
          since = performance.now();
        }
      }
      rest = rest.slice(from);
      if (done) break;
    }
    if (rest.trim() !== '') yield rest;
  } finally {
    // A reader that stops early is no longer interested, so the statement ends.
    await reader.cancel().catch(() => undefined);
  }
}
