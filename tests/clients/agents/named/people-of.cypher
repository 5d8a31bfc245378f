//: summary = "People whose names are given"
//: description = "In the order of the names."
//: mcp = true
//: max_rows = 5
//: [parameters.names]
//: type = "list<string>"
//: max_items = 10
//: [parameters.born]
//: type = "date"
//: description = "The day they were born"
//: default = "1990-01-02"
UNWIND $names AS name RETURN name, $born AS born, $born.year AS year
