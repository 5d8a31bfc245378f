//: summary = "Rates a film"
//: access = "write"
//: result = "record"
//: max_rows = 1
//: timeout = "5s"
//: [parameters.title]
//: type = "string"
//: max_length = 200
//: [parameters.stars]
//: type = "integer"
//: minimum = 1
//: maximum = 5
//: [parameters.comment]
//: type = "string"
//: nullable = true
//: max_length = 1000
MATCH (film:Film {title: $title})
SET film.stars = $stars, film.comment = $comment
RETURN film.title AS title, film.stars AS stars
