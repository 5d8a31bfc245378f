//: summary = "Rate a film"
//: access = "write"
//: [parameters.title]
//: type = "string"
//: [parameters.stars]
//: type = "integer"
//: minimum = 1
//: maximum = 5
//: [parameters.comment]
//: type = "string"
//: nullable = true
//: max_length = 20
MATCH (film:Film {title: $title}) SET film.stars = $stars, film.comment = $comment
RETURN film.title AS title, film.stars AS stars, film.comment AS comment
