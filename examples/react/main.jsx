import { useState } from "react";
import { createRoot } from "react-dom/client";

import { useNamed } from "./named.js";

function Films({ actor }) {
  const { rows, error, pending } = useNamed("films-of", { actor });
  if (error) return <p role="alert">{error}</p>;
  return (
    <>
      <p role="status">{pending ? "…" : `${rows.length} films`}</p>
      <table>
        <thead>
          <tr><th scope="col">Title</th><th scope="col">Year</th><th scope="col">Roles</th></tr>
        </thead>
        <tbody>
          {rows.map(({ title, year, roles }) => (
            <tr key={title}><td>{title}</td><td>{year}</td><td>{roles.join(", ")}</td></tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function App() {
  const { rows: actors, error } = useNamed("actors");
  const [chosen, choose] = useState(null);
  const actor = chosen ?? actors[0]?.name;
  return (
    <>
      <h1>Films</h1>
      {error && <p role="alert">{error}</p>}
      <label>
        Actor{" "}
        <select value={actor ?? ""} onChange={(event) => choose(event.target.value)}>
          {actors.map(({ name }) => <option key={name}>{name}</option>)}
        </select>
      </label>
      {actor && <Films actor={actor} />}
    </>
  );
}

createRoot(document.getElementById("root")).render(<App />);
