import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.logging.LogManager;

/** What the JDBC driver neo4j-jdbc-http does, which was made for Neo4j 3.5. */
class OlderJdbc {
    private static String url;

    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset();
        Class.forName("org.neo4j.jdbc.http.HttpDriver");
        url = "jdbc:neo4j:" + arguments[0];
        var steps = new Steps("neo4j-jdbc-http", error -> error instanceof SQLException known ? String.valueOf(known.getSQLState()) : "");
        execute("MATCH (n:BoltgateOlderJdbc) DETACH DELETE n");
        steps.run("connects", () -> {
            try (var connection = connect()) {
                Steps.equal(true, connection.isValid(10));
                Steps.equal("Neo4j", connection.getMetaData().getDatabaseProductName());
                Steps.equal(true, connection.getMetaData().getDatabaseMajorVersion() >= 4);
            }
        });
        steps.run("writes with a prepared statement", OlderJdbc::prepared);
        steps.run("reads columns by name, number and type", OlderJdbc::columns);
        steps.run("reads nodes, relationships and paths", OlderJdbc::graph);
        steps.run("commits", () -> transaction(true, 1));
        steps.run("rolls back", () -> transaction(false, 0));
        steps.refuses("a statement with a mistake", "Invalid input", () -> execute("MATCH (n"));
        execute("MATCH (n:BoltgateOlderJdbc) DETACH DELETE n");
        steps.end();
    }

    private static Connection connect() throws SQLException {
        var login = new Properties();
        var user = System.getenv("BOLTGATE_USER");
        if (user != null) {
            login.put("user", user.split(":")[0]);
            login.put("password", user.split(":")[1]);
        }
        return DriverManager.getConnection(url, login);
    }

    private static void execute(String text) throws SQLException {
        try (var connection = connect(); var statement = connection.createStatement()) {
            statement.execute(text);
        }
    }

    private static void prepared() throws SQLException {
        try (var connection = connect();
                var statement = connection.prepareStatement(
                    "CREATE (a:BoltgateOlderJdbc {name: ?, n: ?})-[:KNOWS {since: 1999}]->(:BoltgateOlderJdbc {name: 'Bob'})")) {
            statement.setString(1, "Ann");
            statement.setLong(2, 9007199254740993L);
            Steps.equal(true, statement.executeUpdate() > 0);
        }
    }

    private static void columns() throws SQLException {
        try (var connection = connect();
                var statement = connection.prepareStatement(
                    "MATCH (a:BoltgateOlderJdbc {name: ?}) RETURN a.name AS name, a.n AS n, 1.5 AS x, true AS t, null AS z, [1, 2] AS l")) {
            statement.setString(1, "Ann");
            try (var rows = statement.executeQuery()) {
                Steps.equal(6, rows.getMetaData().getColumnCount());
                Steps.equal("name", rows.getMetaData().getColumnLabel(1));
                Steps.equal(true, rows.next());
                Steps.equal("Ann", rows.getString("name"));
                Steps.equal(9007199254740993L, rows.getLong(2));
                Steps.equal(1.5, rows.getDouble("x"));
                Steps.equal(true, rows.getBoolean("t"));
                Steps.equal(null, rows.getObject("z"));
                Steps.equal(true, rows.wasNull());
                Steps.equal("[1, 2]", rows.getObject("l").toString());
                Steps.equal(false, rows.next());
            }
        }
    }

    private static void graph() throws SQLException {
        try (var connection = connect(); var statement = connection.createStatement();
                var rows = statement.executeQuery(
                    "MATCH p = (a:BoltgateOlderJdbc)-[r:KNOWS]->() RETURN a, r, p")) {
            Steps.equal(true, rows.next());
            Steps.equal("Ann", ((Map<?, ?>) rows.getObject("a")).get("name"));
            Steps.equal(1999, ((Number) ((Map<?, ?>) rows.getObject("r")).get("since")).intValue());
            Steps.equal(true, rows.getObject("p").toString().contains("Bob"));
        }
    }

    private static void transaction(boolean commits, long expected) throws SQLException {
        var name = "tx " + commits;
        try (var connection = connect()) {
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.executeUpdate("CREATE (:BoltgateOlderJdbc {name: '" + name + "'})");
                try (var rows = statement.executeQuery("MATCH (n:BoltgateOlderJdbc {name: '" + name + "'}) RETURN count(n) AS c")) {
                    rows.next();
                    Steps.equal(1L, rows.getLong("c"));
                }
            }
            if (commits) {
                connection.commit();
            } else {
                connection.rollback();
            }
        }
        try (var connection = connect(); var statement = connection.createStatement();
                var rows = statement.executeQuery("MATCH (n:BoltgateOlderJdbc {name: '" + name + "'}) RETURN count(n) AS c")) {
            rows.next();
            Steps.equal(expected, rows.getLong("c"));
        }
    }
}
