//! Statements that create and set the same for each of their rows.
//!
//! Owns the number of their rows, and of the values among them that are not null: the rows are counted by a `RETURN` at
//! the statement's end if it has none of its own.

use std::collections::HashSet;

use graphdblite::{Database, GraphError, Record, Value};

use super::Changes;
use super::clauses::{Clauses, Element};
use super::created::{Part, parts};
use super::values::{Known, known};
use crate::embedded::cypher::clauses::items;
use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::rewrite::Translation;
use crate::embedded::rewrite::edits::Edits;
use crate::embedded::values::Parameters;

/// The functions that make one row of several.
const AGGREGATES: [&str; 10] =
    ["count", "sum", "avg", "min", "max", "collect", "percentileCont", "percentileDisc", "stDev", "stDevP"];

#[derive(Debug)]
pub(super) struct Rows {
    /// What each row changes.
    each: Changes,
    /// The statement with a `RETURN` that counts.
    counting: Option<(String, Translation)>,
    /// The columns whose values are numbers of properties that were set.
    sums: Vec<usize>,
    /// Columns that must be equal: the first is the number of properties that were set.
    equal: Vec<[usize; 3]>,
    /// Whether there is exactly one row.
    one: bool,
}

/// What is being found out about a statement.
struct Analysis<'a, 't, 'p> {
    /// The names that are given to elements without one.
    edits: Edits,
    clauses: &'p Clauses<'a, 't>,
    parameters: &'p Parameters,
    each: Changes,
    /// The expressions to return.
    columns: Vec<String>,
    sums: Vec<usize>,
    equal: Vec<[usize; 3]>,
    created: HashSet<&'a str>,
    set: HashSet<&'a str>,
    /// Whether a created element has a property that depends on the row.
    open: bool,
}

impl Rows {
    pub(super) fn new(text: &str, clauses: &Clauses<'_, '_>, parameters: &Parameters, returns: bool) -> Option<Rows> {
        let mut analysis = Analysis {
            edits: Edits::default(),
            clauses,
            parameters,
            each: Changes::default(),
            columns: vec!["count(*)".to_owned()],
            sums: Vec::new(),
            equal: Vec::new(),
            created: HashSet::new(),
            set: HashSet::new(),
            open: false,
        };
        for clause in &clauses.updates {
            if clause.word.is_word("CREATE") {
                for part in parts(clause.body)? {
                    analysis.create(&part)?;
                }
            } else {
                for item in items(clause.body, 0) {
                    analysis.set(item)?;
                }
            }
        }
        // A property that is set later is among the keys that are counted.
        if analysis.open && !analysis.set.is_empty() {
            return None;
        }
        let Analysis { mut edits, each, columns, sums, equal, .. } = analysis;
        let one = clauses.reading.is_empty();
        if !returns {
            let last = clauses.updates.last().and_then(|clause| clause.body.last())?;
            let items: Vec<String> =
                columns.iter().enumerate().map(|(at, column)| format!("{column} AS {}", column_name(at))).collect();
            edits.insert(last.end(), format!(" RETURN {}", items.join(", ")));
            let counting = Some((edits.apply(text), Translation::new(text, edits)));
            return Some(Rows { each, counting, sums, equal, one: false });
        }
        let has = |words: &[&str]| clauses.returning.iter().any(|token| words.iter().any(|word| token.is_word(word)));
        let keeps_rows = one || !has(&["DISTINCT"]) && !has(&AGGREGATES);
        let is_counted = columns.len() == 1 && keeps_rows && !has(&["SKIP", "OFFSET", "LIMIT"]);
        is_counted.then_some(Rows { each, counting: None, sums, equal, one })
    }

    /// Runs the statement, or the one that counts instead.
    pub(super) fn run(
        &self,
        database: &mut Database,
        text: &str,
        parameters: &Parameters,
    ) -> Result<(Vec<Record>, Option<Changes>), GraphError> {
        match &self.counting {
            Some((counting, translation)) => {
                let rows = database.execute_with_params(counting, Some(parameters));
                let changes = self.changes(&rows.map_err(|error| translation.located(error))?);
                Ok((Vec::new(), changes))
            }
            None => {
                let rows = database.execute_with_params(text, Some(parameters))?;
                let changes = self.changes(&rows);
                Ok((rows, changes))
            }
        }
    }

    /// The changes, from the rows of the result.
    fn changes(&self, rows: &[Record]) -> Option<Changes> {
        let number = |at: usize| match rows.first()?.get(&column_name(at)) {
            Some(Value::I64(number)) => Some(*number),
            _ => None,
        };
        let count = match (&self.counting, self.one) {
            (Some(_), _) => number(0)?,
            (None, true) => 1,
            (None, false) => i64::try_from(rows.len()).ok()?,
        };
        let mut properties_set = self.each.properties_set * count;
        for &at in &self.sums {
            properties_set += number(at)?;
        }
        for [first, rest @ ..] in &self.equal {
            let number_set = number(*first)?;
            for &other in rest {
                if number(other)? != number_set {
                    return None;
                }
            }
            properties_set += number_set;
        }
        Some(Changes {
            nodes_created: self.each.nodes_created * count,
            relationships_created: self.each.relationships_created * count,
            labels_added: self.each.labels_added * count,
            properties_set,
            ..Changes::default()
        })
    }
}

impl<'a> Analysis<'a, '_, '_> {
    fn create(&mut self, part: &Part<'a, '_>) -> Option<()> {
        if let Some(name) = part.name {
            if part.is_node && part.is_bare() && self.is_bound(name)? {
                return Some(());
            }
            if !self.created.insert(name) {
                return None;
            }
        }
        if part.is_node {
            self.each.nodes_created += 1;
            self.each.labels_added += i64::try_from(part.labels.len()).ok()?;
        } else {
            self.each.relationships_created += 1;
        }
        let known: Vec<Known> = part.properties.iter().map(|(_, value)| known(value, self.parameters)).collect();
        if !known.contains(&Known::Open) {
            let set = known.iter().filter(|known| **known == Known::Set).count();
            self.each.properties_set += i64::try_from(set).ok()?;
            return Some(());
        }
        self.open = true;
        let name = part.name.map_or_else(|| format!("_boltgate_at_{}", part.start), str::to_owned);
        if part.name.is_none() {
            self.edits.insert(part.start, name.clone());
        }
        self.sum(format!("sum(size(keys({name})))"));
        Some(())
    }

    fn set(&mut self, item: &[Token<'a>]) -> Option<()> {
        let [variable, dot, key, equals, value @ ..] = item else { return None };
        let (name, property) = (variable.name()?, key.name()?);
        // The same key twice may be the same property twice.
        if variable.kind != Kind::Word
            || !dot.is_symbol(".")
            || !equals.is_symbol("=")
            || value.is_empty()
            || !self.set.insert(property)
        {
            return None;
        }
        let created = self.created.contains(name);
        if !created {
            self.clauses.element(name)?;
        }
        match known(value, self.parameters) {
            Known::Null => return None,
            Known::Set if created || !self.clauses.reads_word(&["OPTIONAL"]) => self.each.properties_set += 1,
            Known::Set => self.sum(format!("count({name})")),
            Known::Open => {
                let first = self.columns.len();
                self.columns.extend([
                    format!("count({name})"),
                    // By their identity: the rows hold copies of an element that may differ.
                    format!("count(DISTINCT id({name}))"),
                    format!("count({name}.{})", key.text),
                ]);
                self.equal.push([first, first + 1, first + 2]);
            }
        }
        Some(())
    }

    fn sum(&mut self, column: String) {
        self.sums.push(self.columns.len());
        self.columns.push(column);
    }

    /// Whether a bare `(name)` is a node that exists already. `None` if that cannot be told.
    fn is_bound(&self, name: &str) -> Option<bool> {
        if self.created.contains(name) {
            return Some(true);
        }
        if !self.clauses.mentions(name) {
            return Some(false);
        }
        // `WITH` may have ended the scope of the name.
        let scoped = self.clauses.reads_word(&["WITH"]);
        (!scoped && self.clauses.element(name) == Some(Element::Node)).then_some(true)
    }
}

fn column_name(at: usize) -> String {
    format!("_boltgate_{at}")
}
