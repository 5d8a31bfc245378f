"""Uses the official Neo4j driver over HTTP, through Boltgate.

    pip install 'neo4j[http]'
    boltgate serve --embedded          # in another terminal
    python examples/python_driver.py

BOLTGATE_URL (default http://127.0.0.1:7474), BOLTGATE_DATABASE (default neo4j) and
BOLTGATE_USER (name:password, if the database requires it) select the server.
"""

import os

import neo4j

URL = os.environ.get("BOLTGATE_URL", "http://127.0.0.1:7474")
DATABASE = os.environ.get("BOLTGATE_DATABASE", "neo4j")
USER = os.environ.get("BOLTGATE_USER")


def main():
    # Over HTTP the driver insists on credentials; a database without authentication ignores them.
    auth = tuple(USER.split(":", 1)) if USER else ("nobody", "nothing")
    with neo4j.GraphDatabase.driver(URL, auth=auth) as driver:
        # One statement in a transaction of its own.
        records, summary, keys = driver.execute_query(
            "RETURN $x + 1 AS y, date() AS today", x=41, database_=DATABASE
        )
        print(records[0]["y"], type(records[0]["today"]).__name__)

        with driver.session(database=DATABASE) as session:
            # A unit of work: the driver begins, commits, and retries it when the database asks for that.
            name = session.execute_write(create_person, "Ada")
            print("created", name)
            print("people:", session.execute_read(count_people))

            # A transaction without a unit of work.
            with session.begin_transaction() as transaction:
                transaction.run("MATCH (p:ExamplePerson) DETACH DELETE p").consume()
                transaction.commit()
            print("people:", session.execute_read(count_people))


def create_person(transaction, name):
    result = transaction.run("CREATE (p:ExamplePerson {name: $name}) RETURN p", name=name)
    return result.single()["p"]["name"]


def count_people(transaction):
    return transaction.run("MATCH (p:ExamplePerson) RETURN count(p) AS people").single()["people"]


if __name__ == "__main__":
    main()
