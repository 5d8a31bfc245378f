//: summary = "Makes a node"
//: access = "write"
//: mcp = true
//: [parameters.n]
//: type = "integer"
//: minimum = 1
//: maximum = 9
CREATE (made:AgentNamed {n: $n}) RETURN made.n AS n
