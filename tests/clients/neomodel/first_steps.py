"""The first steps of neomodel's guide, through the official Python driver over http://.

    python first_steps.py URL

One line of TAP for each step; the exit status says whether all went well. LACKS names what the database cannot do as
yet, with what its error says; the line tells when it can.
"""

import sys
import traceback

from neo4j import GraphDatabase
from neomodel import (
    IntegerProperty,
    Relationship,
    RelationshipTo,
    StringProperty,
    StructuredNode,
    StructuredRel,
    UniqueIdProperty,
    config,
    db,
)


class Country(StructuredNode):
    code = StringProperty(required=True)


class Origin(StructuredRel):
    """Traversing wants a model, even one without properties."""


class Friendship(StructuredRel):
    since = IntegerProperty()


class Person(StructuredNode):
    uid = UniqueIdProperty()
    name = StringProperty(required=True)
    age = IntegerProperty(index=True, default=0)
    country = RelationshipTo(Country, "IS_FROM", model=Origin)
    friends = Relationship("Person", "FRIEND", model=Friendship)


def jim():
    return Person.nodes.get(name="Jim")


def saves_and_finds():
    saved = Person(name="Jim", age=3).save()
    Person(name="Kim", age=9).save()
    assert jim() == saved and jim().age == 3 and jim().uid == saved.uid
    assert Person.nodes.get_or_none(name="Nobody") is None


def filters_and_orders():
    assert [one.name for one in Person.nodes.filter(age__gt=3)] == ["Kim"]
    assert [one.name for one in Person.nodes.filter(name__icontains="IM").order_by("-age")] == ["Kim", "Jim"]
    assert len(Person.nodes) == 2


def updates():
    one = jim()
    one.age = 4
    one.save()
    one.refresh()
    assert one.age == 4 and jim().age == 4


def connects():
    germany, one = Country(code="DE").save(), jim()
    one.country.connect(germany)
    assert one.country.is_connected(germany)
    assert [country.code for country in one.country.all()] == ["DE"]


def connects_with_properties():
    one, other = jim(), Person.nodes.get(name="Kim")
    assert one.friends.connect(other, {"since": 2020}).since == 2020
    assert one.friends.relationship(other).since == 2020


def traverses():
    found = Person.nodes.traverse("country").all()
    assert [(person.name, country.code) for person, country, _ in found] == [("Jim", "DE")]


def gets_or_creates():
    Country.get_or_create({"code": "FR"}, {"code": "FR"})
    assert len(Country.nodes.filter(code="FR")) == 1


def runs_cypher():
    rows, names = db.cypher_query("MATCH (p:Person) RETURN p, p.age AS age ORDER BY age", resolve_objects=True)
    assert names == ["p", "age"] and isinstance(rows[0][0], Person), rows


def rolls_back():
    try:
        with db.transaction:
            Person(name="Gone").save()
            raise LookupError
    except LookupError:
        pass
    assert Person.nodes.get_or_none(name="Gone") is None


def commits():
    with db.transaction:
        Person(name="Kept").save()
    assert Person.nodes.get(name="Kept").age == 0


def deletes():
    Person.nodes.get(name="Kept").delete()
    assert Person.nodes.get_or_none(name="Kept") is None


def installs_constraints():
    """Unique properties are constraints."""
    db.install_all_labels(stdout=open("/dev/null", "w"))


STEPS = [
    saves_and_finds,
    filters_and_orders,
    updates,
    connects,
    connects_with_properties,
    traverses,
    gets_or_creates,
    runs_cypher,
    rolls_back,
    commits,
    deletes,
    installs_constraints,
]
LACKS = {installs_constraints: "is not supported by the embedded database"}


def run(step):
    """Whether it is as it should be."""
    name, lacked = step.__name__.replace("_", " "), LACKS.get(step)
    try:
        step()
    except Exception as error:
        if lacked and lacked in str(error):
            print(f"ok - neomodel: lacks: {name}", flush=True)
            return True
        print(f"not ok - neomodel: {name}", flush=True)
        traceback.print_exc()
        return False
    print(f"ok - neomodel: {'no longer lacks: ' if lacked else ''}{name}", flush=True)
    return True


def main():
    config.DATABASE_NAME = "neo4j"
    with GraphDatabase.driver(sys.argv[1], auth=("neo4j", "password")) as config.DRIVER:
        return 0 if all([run(step) for step in STEPS]) else 1


if __name__ == "__main__":
    sys.exit(main())
