//: summary = "How many people were born in these years"
//: result = "value"
//: returns = { people = "int64" }
//: [parameters.from]
//: type = "integer"
//: minimum = 1800
//: maximum = 2100
//: [parameters.to]
//: type = "integer"
//: minimum = 1800
//: maximum = 2100
MATCH (person:Person)
WHERE person.born >= $from AND person.born <= $to
RETURN count(person) AS people
