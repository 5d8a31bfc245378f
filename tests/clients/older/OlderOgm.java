import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.logging.LogManager;

import org.neo4j.ogm.annotation.GeneratedValue;
import org.neo4j.ogm.annotation.Id;
import org.neo4j.ogm.annotation.NodeEntity;
import org.neo4j.ogm.annotation.Relationship;
import org.neo4j.ogm.config.Configuration;
import org.neo4j.ogm.session.SessionFactory;

/** What Neo4j's object-graph mapper 3.2 does over its HTTP driver, which was made for Neo4j 3.5. */
public class OlderOgm {
    @NodeEntity("BoltgateOlderPerson")
    public static class Person {
        @Id @GeneratedValue
        Long id;
        String name;
        @Relationship(type = "KNOWS")
        Set<Person> friends = new HashSet<>();

        public Person() {
        }

        Person(String name) {
            this.name = name;
        }
    }

    public static void main(String[] arguments) {
        LogManager.getLogManager().reset();
        var configuration = new Configuration.Builder().uri(arguments[0]);
        var user = System.getenv("BOLTGATE_USER");
        if (user != null) {
            configuration.credentials(user.split(":")[0], user.split(":")[1]);
        }
        var factory = new SessionFactory(configuration.build(), Person.class.getName());
        var steps = new Steps("neo4j-ogm-http-driver", error -> "");
        var ann = new Person("Ann");
        factory.openSession().query("MATCH (n:BoltgateOlderPerson) DETACH DELETE n", Map.of());
        steps.run("queries", () -> {
            var rows = factory.openSession().query("RETURN $n AS n, [1, 2] AS l", Map.of("n", 7));
            var row = rows.queryResults().iterator().next();
            Steps.equal(7, ((Number) row.get("n")).intValue());
        });
        steps.run("saves objects with their relationships", () -> {
            ann.friends.add(new Person("Bob"));
            factory.openSession().save(ann);
            Steps.equal(true, ann.id != null && ann.id >= 0);
        });
        steps.run("loads an object with its relationships", () -> {
            var found = factory.openSession().load(Person.class, ann.id);
            Steps.equal("Ann", found.name);
            Steps.equal("Bob", found.friends.iterator().next().name);
        });
        steps.run("loads all objects of a class", () -> {
            Steps.equal(2, factory.openSession().loadAll(Person.class).size());
        });
        steps.run("finds an object by a statement", () -> {
            var found = factory.openSession().queryForObject(Person.class,
                "MATCH (n:BoltgateOlderPerson {name: $name}) RETURN n", Map.of("name", "Bob"));
            Steps.equal("Bob", found.name);
        });
        steps.run("commits", () -> {
            var session = factory.openSession();
            try (var transaction = session.beginTransaction()) {
                session.save(new Person("Cid"));
                transaction.commit();
            }
            Steps.equal(3L, factory.openSession().countEntitiesOfType(Person.class));
        });
        steps.run("rolls back", () -> {
            var session = factory.openSession();
            try (var transaction = session.beginTransaction()) {
                session.save(new Person("Dan"));
                transaction.rollback();
            }
            Steps.equal(3L, factory.openSession().countEntitiesOfType(Person.class));
        });
        steps.refuses("a statement with a mistake", "Invalid input", () -> factory.openSession().query("MATCH (n", Map.of()));
        steps.run("deletes objects", () -> {
            factory.openSession().query("MATCH (n:BoltgateOlderPerson) DETACH DELETE n", Map.of());
            Steps.equal(0L, factory.openSession().countEntitiesOfType(Person.class));
        });
        factory.close();
        steps.end();
    }
}
