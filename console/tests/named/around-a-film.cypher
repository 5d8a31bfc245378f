//: summary = "Who made a film"
//: description = "The film with its actors or its directors, as a graph."
//: [parameters.title]
//: type = "string"
//: description = "As in the cinema"
//: example = "Casablanca"
//: [parameters.part]
//: type = "string"
//: enum = ["ACTED_IN", "DIRECTED"]
//: [parameters.most]
//: type = "integer"
//: default = 4
//: minimum = 1
//: maximum = 100
MATCH (person:Person)-[made]->(film:Film {title: $title}) WHERE type(made) = $part
RETURN person, made, film ORDER BY person.name LIMIT $most
