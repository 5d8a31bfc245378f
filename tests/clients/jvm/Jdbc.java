import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Map;
import java.util.Properties;
import java.util.logging.LogManager;

/** What Neo4j's JDBC driver does with a URL of jdbc:neo4j:http://. */
class Jdbc {
    private static String url;

    public static void main(String[] arguments) throws SQLException {
        LogManager.getLogManager().reset();
        url = "jdbc:neo4j:" + arguments[0] + "/neo4j";
        var steps = new Steps("jdbc", error -> error instanceof SQLException known ? String.valueOf(known.getSQLState()) : "");
        steps.run("connects", () -> Jdbc.connect().close());
        steps.run("says what it talks to", Jdbc::product);
        steps.run("writes with a prepared statement", Jdbc::prepared);
        steps.run("writes a batch", Jdbc::batch);
        steps.run("reads columns by name and type", Jdbc::columns);
        steps.run("reads nodes and relationships", Jdbc::graph);
        steps.run("commits and rolls back", Jdbc::transactions);
        steps.refuses("a statement with a mistake", "Invalid input", () -> read("MATCH (n"));
        steps.lacks("the list of tables", "general processing exception", () -> {
            try (var connection = connect(); var tables = connection.getMetaData().getTables(null, null, "%", null)) {
                Steps.equal(true, tables.next());
            }
        });
        steps.end();
    }

    private static Connection connect() throws SQLException {
        var login = new Properties();
        login.put("user", "neo4j");
        login.put("password", "password");
        return DriverManager.getConnection(url, login);
    }

    private static Object read(String text) throws SQLException {
        try (var connection = connect(); var statement = connection.createStatement(); var rows = statement.executeQuery(text)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    private static void product() throws SQLException {
        try (var connection = connect()) {
            var about = connection.getMetaData();
            Steps.equal(true, about.getDatabaseProductName().startsWith("Neo4j"));
            Steps.equal(true, connection.isValid(10));
        }
    }

    private static void prepared() throws SQLException {
        try (var connection = connect();
                var statement = connection.prepareStatement("CREATE (p:Person {name: $1, born: $2})")) {
            statement.setString(1, "Ada");
            statement.setObject(2, LocalDate.of(1815, 12, 10));
            statement.executeUpdate();
        }
        Steps.equal(1L, read("MATCH (p:Person {name: 'Ada'}) RETURN count(p) AS n"));
    }

    private static void batch() throws SQLException {
        try (var connection = connect(); var statement = connection.prepareStatement("CREATE (:Reading {n: $1})")) {
            for (int n = 1; n <= 5; n++) {
                statement.setInt(1, n);
                statement.addBatch();
            }
            statement.executeBatch();
        }
        Steps.equal(15L, read("MATCH (r:Reading) RETURN sum(r.n) AS sum"));
    }

    private static void columns() throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("MATCH (p:Person) RETURN p.name AS name, p.born AS born, 4.0 AS score, true AS known, null AS nothing")) {
            Steps.equal("name", rows.getMetaData().getColumnName(1));
            Steps.equal(true, rows.next());
            Steps.equal("Ada", rows.getString("name"));
            Steps.equal(LocalDate.of(1815, 12, 10), rows.getDate("born").toLocalDate());
            Steps.equal(4.0, rows.getDouble("score"));
            Steps.equal(true, rows.getBoolean("known"));
            Steps.equal(null, rows.getString("nothing"));
            Steps.equal(false, rows.next());
        }
    }

    private static void graph() throws SQLException {
        try (var connection = connect(); var statement = connection.createStatement()) {
            statement.execute("CREATE (:Film {title: 'A'})<-[:SAW {stars: 5}]-(:Viewer {name: 'Bob'})");
            try (var rows = statement.executeQuery("MATCH (v:Viewer)-[s:SAW]->(f:Film) RETURN v, s, f")) {
                rows.next();
                Steps.equal(true, rows.getObject("v").toString().startsWith("node<"));
                Steps.equal(true, rows.getObject("s").toString().startsWith("relationship<"));
                Steps.equal(Map.of("title", "A"), ((org.neo4j.jdbc.values.Node) rows.getObject("f")).asMap(org.neo4j.jdbc.values.Value::asObject));
            }
        }
    }

    private static void transactions() throws SQLException {
        try (var connection = connect()) {
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE (:Gone)");
                connection.rollback();
                statement.execute("CREATE (:Kept)");
                connection.commit();
            }
        }
        Steps.equal(0L, read("MATCH (n:Gone) RETURN count(n) AS n"));
        Steps.equal(1L, read("MATCH (n:Kept) RETURN count(n) AS n"));
    }

}
