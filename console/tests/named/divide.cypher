//: [parameters.by]
//: type = "integer"
//: [parameters.kind]
//: type = "string"
//: nullable = true
//: enum = ["a", "b"]
//: [parameters.sign]
//: type = "integer"
//: enum = [1, -1]
//: default = 1
RETURN $sign * 9007199254740993 / $by AS quotient, $by AS by, $kind AS kind
