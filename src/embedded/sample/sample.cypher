// The sample graph: people and films, people who know each other, and a ledger of tokens.
// It can be run again: nothing is created twice.

UNWIND [
  {title: "The Cabinet of Dr. Caligari", year: 1920},
  {title: "Metropolis", year: 1927},
  {title: "M", year: 1931},
  {title: "Bringing Up Baby", year: 1938},
  {title: "The Maltese Falcon", year: 1941},
  {title: "Casablanca", year: 1942},
  {title: "Notorious", year: 1946},
  {title: "The Big Sleep", year: 1946},
  {title: "The African Queen", year: 1951},
  {title: "North by Northwest", year: 1959}
] AS row
MERGE (f:Film {title: row.title}) SET f.year = row.year;

UNWIND [
  {name: "Robert Wiene", born: 1873},
  {name: "Werner Krauss", born: 1884},
  {name: "Michael Curtiz", born: 1886},
  {name: "Claude Rains", born: 1889},
  {name: "Fritz Lang", born: 1890},
  {name: "Conrad Veidt", born: 1893},
  {name: "Howard Hawks", born: 1896},
  {name: "Alfred Hitchcock", born: 1899},
  {name: "Humphrey Bogart", born: 1899},
  {name: "Cary Grant", born: 1904},
  {name: "Peter Lorre", born: 1904},
  {name: "Brigitte Helm", born: 1906},
  {name: "John Huston", born: 1906},
  {name: "Mary Astor", born: 1906},
  {name: "Katharine Hepburn", born: 1907},
  {name: "James Mason", born: 1909},
  {name: "Ingrid Bergman", born: 1915},
  {name: "Eva Marie Saint", born: 1924},
  {name: "Lauren Bacall", born: 1924},
  {name: "Nina", born: 1988},
  {name: "Omar", born: 1991},
  {name: "Pia", born: 1979},
  {name: "Quinn", born: 2001},
  {name: "Rosa", born: 1985}
] AS row
MERGE (p:Person {name: row.name}) SET p.born = row.born;

UNWIND [
  {name: "Robert Wiene", title: "The Cabinet of Dr. Caligari"},
  {name: "Fritz Lang", title: "Metropolis"},
  {name: "Fritz Lang", title: "M"},
  {name: "Howard Hawks", title: "Bringing Up Baby"},
  {name: "Howard Hawks", title: "The Big Sleep"},
  {name: "John Huston", title: "The Maltese Falcon"},
  {name: "John Huston", title: "The African Queen"},
  {name: "Michael Curtiz", title: "Casablanca"},
  {name: "Alfred Hitchcock", title: "Notorious"},
  {name: "Alfred Hitchcock", title: "North by Northwest"}
] AS row
MATCH (p:Person {name: row.name}) MATCH (f:Film {title: row.title})
MERGE (p)-[:DIRECTED]->(f);

UNWIND [
  {name: "Werner Krauss", title: "The Cabinet of Dr. Caligari", roles: ["Dr. Caligari"]},
  {name: "Conrad Veidt", title: "The Cabinet of Dr. Caligari", roles: ["Cesare"]},
  {name: "Brigitte Helm", title: "Metropolis", roles: ["Maria", "The Machine Man"]},
  {name: "Peter Lorre", title: "M", roles: ["Hans Beckert"]},
  {name: "Cary Grant", title: "Bringing Up Baby", roles: ["David Huxley"]},
  {name: "Katharine Hepburn", title: "Bringing Up Baby", roles: ["Susan Vance"]},
  {name: "Humphrey Bogart", title: "The Maltese Falcon", roles: ["Sam Spade"]},
  {name: "Mary Astor", title: "The Maltese Falcon", roles: ["Brigid O'Shaughnessy"]},
  {name: "Peter Lorre", title: "The Maltese Falcon", roles: ["Joel Cairo"]},
  {name: "Humphrey Bogart", title: "Casablanca", roles: ["Rick Blaine"]},
  {name: "Ingrid Bergman", title: "Casablanca", roles: ["Ilsa Lund"]},
  {name: "Claude Rains", title: "Casablanca", roles: ["Louis Renault"]},
  {name: "Conrad Veidt", title: "Casablanca", roles: ["Heinrich Strasser"]},
  {name: "Peter Lorre", title: "Casablanca", roles: ["Ugarte"]},
  {name: "Cary Grant", title: "Notorious", roles: ["T. R. Devlin"]},
  {name: "Ingrid Bergman", title: "Notorious", roles: ["Alicia Huberman"]},
  {name: "Claude Rains", title: "Notorious", roles: ["Alexander Sebastian"]},
  {name: "Humphrey Bogart", title: "The Big Sleep", roles: ["Philip Marlowe"]},
  {name: "Lauren Bacall", title: "The Big Sleep", roles: ["Vivian Rutledge"]},
  {name: "Humphrey Bogart", title: "The African Queen", roles: ["Charlie Allnut"]},
  {name: "Katharine Hepburn", title: "The African Queen", roles: ["Rose Sayer"]},
  {name: "Cary Grant", title: "North by Northwest", roles: ["Roger Thornhill"]},
  {name: "Eva Marie Saint", title: "North by Northwest", roles: ["Eve Kendall"]},
  {name: "James Mason", title: "North by Northwest", roles: ["Phillip Vandamm"]}
] AS row
MATCH (p:Person {name: row.name}) MATCH (f:Film {title: row.title})
MERGE (p)-[r:ACTED_IN]->(f) SET r.roles = row.roles;

UNWIND [
  {one: "Nina", other: "Omar", since: 2015},
  {one: "Omar", other: "Pia", since: 2018},
  {one: "Omar", other: "Quinn", since: 2020},
  {one: "Quinn", other: "Rosa", since: 2021},
  {one: "Rosa", other: "Nina", since: 2012}
] AS row
MATCH (a:Person {name: row.one}) MATCH (b:Person {name: row.other})
MERGE (a)-[k:KNOWS]->(b) SET k.since = row.since;

UNWIND [
  {id: "nina-1", owner: "Nina", tokens: 55},
  {id: "omar-1", owner: "Omar", tokens: 105},
  {id: "pia-1", owner: "Pia", tokens: 130},
  {id: "quinn-1", owner: "Quinn", tokens: 90},
  {id: "rosa-1", owner: "Rosa", tokens: 120}
] AS row
MATCH (p:Person {name: row.owner})
MERGE (a:Account {id: row.id}) SET a.tokens = row.tokens
MERGE (p)-[:OWNS]->(a);

// Every account began with 100 tokens.
UNWIND [
  {id: 1, from: "nina-1", to: "omar-1", amount: 40, at: "2026-01-05T09:30:00Z"},
  {id: 2, from: "omar-1", to: "pia-1", amount: 30, at: "2026-01-06T14:05:00Z"},
  {id: 3, from: "quinn-1", to: "rosa-1", amount: 20, at: "2026-01-09T08:15:00Z"},
  {id: 4, from: "nina-1", to: "quinn-1", amount: 10, at: "2026-01-12T17:45:00Z"},
  {id: 5, from: "omar-1", to: "nina-1", amount: 5, at: "2026-01-20T11:00:00Z"}
] AS row
MATCH (a:Account {id: row.from}) MATCH (b:Account {id: row.to})
MERGE (a)-[t:TRANSFERRED {id: row.id}]->(b) SET t.amount = row.amount, t.at = datetime(row.at);
