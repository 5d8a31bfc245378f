//: summary = "Films of an actor, newest first"
//: cache = "60s"
//: mcp = true
//: returns = { title = "string", year = "int64", roles = "list<string>" }
//: [parameters.actor]
//: type = "string"
//: description = "The actor's whole name"
//: example = "Peter Lorre"
//: min_length = 1
//: max_length = 100
//: [parameters.limit]
//: type = "integer"
//: default = 10
//: minimum = 1
//: maximum = 100
MATCH (:Person {name: $actor})-[acted:ACTED_IN]->(film:Film)
RETURN film.title AS title, film.year AS year, acted.roles AS roles
ORDER BY year DESC, title
LIMIT $limit
