//: summary = "What only Grace may call"
//: allow = ["user:grace"]
RETURN 1 AS n
