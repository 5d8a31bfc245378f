//: summary = "Actors whose names contain a text, and the number of their films"
//: cache = "60s"
//: mcp = true
//: returns = { name = "string", films = "int64" }
//: [parameters.text]
//: type = "string"
//: description = "Part of the name, in upper or lower case"
//: default = ""
//: max_length = 50
MATCH (actor:Person)-[:ACTED_IN]->(film:Film)
WHERE toLower(actor.name) CONTAINS toLower($text)
RETURN actor.name AS name, count(film) AS films
ORDER BY films DESC, name
