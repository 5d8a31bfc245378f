// A hook that calls a named query, and calls it again when its parameters change. A call that nobody waits for any longer is
// aborted, which also ends its statement in the database.
import { useEffect, useState } from "react";

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://localhost:7474";
const named = `${gateway}/db/${query.get("database") ?? "neo4j"}/named`;

export function useNamed(name, parameters = {}) {
  const [answer, setAnswer] = useState({ rows: [], error: null, pending: true });
  const address = `${named}/${name}?${new URLSearchParams(parameters)}`;
  useEffect(() => {
    const controller = new AbortController();
    setAnswer((last) => ({ ...last, pending: true }));
    call(address, controller.signal)
      .then((rows) => setAnswer({ rows, error: null, pending: false }))
      .catch((error) => controller.signal.aborted || setAnswer({ rows: [], error: error.message, pending: false }));
    return () => controller.abort();
  }, [address]);
  return answer;
}

async function call(address, signal) {
  const answer = await fetch(address, { signal, credentials: "omit" });
  const body = await answer.json();
  if (answer.ok) return body;
  // One error for each parameter that is wrong.
  throw new Error(body.errors.map((error) => error.message).join(" "));
}
