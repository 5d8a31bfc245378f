//: summary = "One film with its actors and directors"
//: result = "record"
//: cache = "60s"
//: returns = { title = "string", year = "int64", actors = "list<string>", directors = "list<string>" }
//: [parameters.title]
//: type = "string"
//: example = "Casablanca"
//: max_length = 200
MATCH (film:Film {title: $title})<-[:ACTED_IN]-(actor:Person)
WITH film, collect(actor.name) AS actors
MATCH (film)<-[:DIRECTED]-(director:Person)
RETURN film.title AS title, film.year AS year, actors, collect(director.name) AS directors
