//: summary = "For other callers"
RETURN 1 AS one
