import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.logging.LogManager;
import java.util.stream.IntStream;
import org.neo4j.driver.AccessMode;
import org.neo4j.driver.AuthTokens;
import org.neo4j.driver.GraphDatabase;
import org.neo4j.driver.QueryConfig;
import org.neo4j.driver.Record;
import org.neo4j.driver.SessionConfig;
import org.neo4j.driver.Values;
import org.neo4j.driver.exceptions.Neo4jException;

/** What the manual of Neo4j's Java driver shows first, over http://. */
class Driver {
    private static final QueryConfig DATABASE = QueryConfig.builder().withDatabase("neo4j").build();
    private static final SessionConfig SESSION = SessionConfig.forDatabase("neo4j");
    private static org.neo4j.driver.Driver driver;

    public static void main(String[] arguments) {
        LogManager.getLogManager().reset();
        var steps = new Steps("java driver", error -> error instanceof Neo4jException known ? known.code() : "");
        driver = GraphDatabase.driver(arguments[0], AuthTokens.basic("neo4j", "password"));
        steps.run("verifies the connection", () -> driver.verifyConnectivity());
        steps.run("creates and reads nodes and a relationship", Driver::graph);
        steps.run("reads a path", Driver::path);
        steps.run("sends and reads every simple type", Driver::types);
        steps.run("sends and reads dates, times and durations", Driver::times);
        steps.run("takes a map of properties as a parameter", Driver::properties);
        steps.run("commits a managed transaction", Driver::managed);
        steps.run("rolls back an explicit transaction", Driver::rollback);
        steps.run("reads row by row", Driver::rows);
        steps.run("runs many sessions at once", Driver::concurrent);
        steps.refuses("a statement with a mistake", "Neo.ClientError.Statement.SyntaxError", () -> query("MATCH (n", Map.of()));
        steps.refuses("a write in read mode", "Neo.ClientError.Statement.AccessMode", Driver::readMode);
        steps.refuses("an unknown database", "Neo.ClientError.Database.DatabaseNotFound", () -> driver
            .executableQuery("RETURN 1").withConfig(QueryConfig.builder().withDatabase("nowhere").build()).execute());
        steps.refuses("bytes as a parameter", "Neo.ClientError.Statement.TypeError",
            () -> query("RETURN $x AS x", Map.of("x", new byte[] {1, 2})));
        driver.close();
        steps.end();
    }

    private static List<Record> query(String text, Map<String, Object> parameters) {
        return driver.executableQuery(text).withParameters(parameters).withConfig(DATABASE).execute().records();
    }

    private static void graph() {
        var created = query("CREATE (a:Person {name: $name})-[r:KNOWS {since: 2024}]->(b:Person {name: 'Bob'}) RETURN a, r, b",
            Map.of("name", "Alice")).get(0);
        var alice = created.get("a").asNode();
        var knows = created.get("r").asRelationship();
        Steps.equal(List.of("Person"), List.copyOf((java.util.Collection<String>) alice.labels()));
        Steps.equal("Alice", alice.get("name").asString());
        Steps.equal("KNOWS", knows.type());
        Steps.equal(2024L, knows.get("since").asLong());
        Steps.equal(alice.elementId(), knows.startNodeElementId());
        Steps.equal(created.get("b").asNode().elementId(), knows.endNodeElementId());
        var names = query("MATCH (p:Person) RETURN p.name AS name ORDER BY name", Map.of());
        Steps.equal(List.of("Alice", "Bob"), names.stream().map(row -> row.get("name").asString()).toList());
    }

    private static void path() {
        var path = query("MATCH p = (:Person {name: 'Alice'})-[:KNOWS]->() RETURN p", Map.of()).get(0).get("p").asPath();
        Steps.equal(1, path.length());
        Steps.equal("Alice", path.start().get("name").asString());
        Steps.equal("Bob", path.end().get("name").asString());
    }

    private static void types() {
        var given = Map.<String, Object>of("i", Long.MAX_VALUE, "f", 4.0, "s", "ü", "b", true, "l", List.of(1L, "a"), "m", Map.of("k", 1L));
        var row = query("RETURN $i AS i, $f AS f, $s AS s, $b AS b, $l AS l, $m AS m, null AS n", given).get(0);
        given.forEach((name, value) -> Steps.equal(value, row.get(name).asObject()));
        Steps.equal(true, row.get("n").isNull());
    }

    private static void times() {
        var zoned = ZonedDateTime.parse("2026-02-28T12:50:35+01:00[Europe/Berlin]");
        var duration = Values.isoDuration(1, 2, 3, 4).asIsoDuration();
        var given = Map.<String, Object>of("date", LocalDate.of(2026, 2, 28), "local", LocalDateTime.of(2026, 2, 28, 12, 50), "zoned", zoned, "duration", duration);
        var row = query("RETURN $date AS date, $local AS local, $zoned AS zoned, $duration AS duration", given).get(0);
        given.forEach((name, value) -> Steps.equal(value, row.get(name).asObject()));
        Steps.equal(LocalDate.of(2026, 3, 1), query("RETURN date($d) + duration('P1D') AS d", Map.of("d", "2026-02-28")).get(0).get("d").asLocalDate());
    }

    private static void properties() {
        var given = Map.<String, Object>of("p", Map.of("name", "Map", "score", 4.0));
        var row = query("CREATE (t:Technology) SET t = $p RETURN t", given).get(0).get("t").asNode();
        Steps.equal(Map.of("name", "Map", "score", 4.0), row.asMap());
    }

    private static void managed() {
        try (var session = driver.session(SESSION)) {
            var kept = session.executeWrite(tx -> {
                tx.run("CREATE (:Kept {n: 1})").consume();
                return tx.run("MATCH (k:Kept) RETURN count(k) AS n").single().get("n").asLong();
            });
            Steps.equal(1L, kept);
            Steps.equal(1L, session.executeRead(tx -> tx.run("MATCH (k:Kept) RETURN count(k) AS n").single().get("n").asLong()));
        }
    }

    private static void rollback() {
        try (var session = driver.session(SESSION)) {
            try (var tx = session.beginTransaction()) {
                tx.run("CREATE (:Gone)").consume();
                tx.rollback();
            }
            Steps.equal(0L, session.run("MATCH (g:Gone) RETURN count(g) AS n").single().get("n").asLong());
        }
    }

    private static void rows() {
        try (var session = driver.session(SESSION)) {
            var result = session.run("UNWIND range(1, 2500) AS n RETURN n");
            long sum = 0;
            while (result.hasNext()) {
                sum += result.next().get("n").asLong();
            }
            Steps.equal(2500L * 2501 / 2, sum);
        }
    }

    private static void concurrent() {
        var all = IntStream.range(0, 30)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> query("RETURN $i AS i", Map.of("i", (long) i)).get(0).get("i").asLong()))
            .toList();
        Steps.equal(435L, all.stream().mapToLong(CompletableFuture::join).sum());
    }

    private static void readMode() {
        var reading = SessionConfig.builder().withDatabase("neo4j").withDefaultAccessMode(AccessMode.READ).build();
        try (var session = driver.session(reading)) {
            session.run("CREATE (:Never)").consume();
        }
    }
}
