//! One file: from its text to a query.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use thiserror::Error;
use toml::{Spanned, Value};

use super::{
    convert::{Misfit, convert},
    header::{Access, Header, RunAs, Scope, Section, Text, divided, line_at},
    parameter::{Bound, Bounds, Parameter, Pattern},
    query::Query,
    types::Type,
};
use crate::{
    auth::WhoRules,
    bolt::packstream::{Reader, Writer},
    config::WhoRule,
    query::{is_blank, parameters_in, single_statement},
};

/// What is wrong with a file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {message}")]
pub struct FileError {
    /// The path of the file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Reads the query `name` from the text of its file.
///
/// # Errors
/// Everything that is wrong with it, except that a header which is not TOML hides what else there may be.
pub(super) fn read(name: &str, file: &str, text: &str) -> Result<Query, Vec<FileError>> {
    let (toml, rest) = divided(text);
    let error = |line, message: String| FileError { file: file.to_owned(), line, message };
    let header: Header = toml::from_str(&toml).map_err(|wrong| {
        let line = wrong.span().map_or(1, |span| line_at(&toml, span.start));
        vec![error(line, format!("the header is not valid: {}", wrong.message().trim()))]
    })?;
    let mut reading = Reading { toml: &toml, mistakes: Vec::new() };
    let parameters = reading.parameters(&header);
    reading.rules(&header);
    let statement = reading.statement(&rest, &header);
    if !reading.mistakes.is_empty() {
        reading.mistakes.sort_by_key(|(line, _)| *line);
        return Err(reading.mistakes.into_iter().map(|(line, message)| error(line, message)).collect());
    }
    let returns = header.returns.0.into_iter().map(|(column, Text(kind))| (column.into_inner(), kind)).collect();
    Ok(Query {
        name: name.to_owned(),
        file: file.to_owned(),
        summary: header.summary,
        description: header.description,
        deprecated: header.deprecated,
        access: header.access,
        databases: header.databases,
        allow: WhoRules::new(&header.allow.unwrap_or_else(|| vec![WhoRule::Anybody])),
        run_as: header.run_as.map(Spanned::into_inner).unwrap_or_default(),
        result: header.result,
        returns,
        cache: header.cache.map(|cache| cache.into_inner().get()),
        cache_scope: header.cache_scope.map(Spanned::into_inner).unwrap_or_default(),
        timeout: header.timeout.map(crate::config::TimeSpan::get),
        max_rows: header.max_rows.map(Spanned::into_inner),
        mcp: header.mcp,
        parameters,
        lines_before: line_at(&rest, rest.len() - rest.trim_start().len()) - 1,
        text: Arc::from(statement.trim_start()),
    })
}

/// Collects what is wrong, each with its line.
struct Reading<'t> {
    toml: &'t str,
    mistakes: Vec<(usize, String)>,
}

impl Reading<'_> {
    fn add(&mut self, offset: usize, message: impl Into<String>) {
        self.mistakes.push((line_at(self.toml, offset), message.into()));
    }

    /// Checks what keys demand of each other.
    fn rules(&mut self, header: &Header) {
        let start = |span: std::ops::Range<usize>| span.start;
        let is_service = header.run_as.as_ref().is_some_and(|run_as| *run_as.get_ref() == RunAs::Service);
        let is_open = header.allow.as_ref().is_some_and(|allow| allow.contains(&WhoRule::Anybody));
        if let Some(run_as) = header.run_as.as_ref().filter(|_| is_service && header.allow.is_none()) {
            self.add(
                start(run_as.span()),
                "run_as = \"service\" gives callers the rights of another account; say in `allow` who may call the query, \
                 [\"*\"] for anybody",
            );
        }
        if let Some(cache) = header.cache.as_ref().filter(|_| header.access == Access::Write) {
            self.add(start(cache.span()), "`cache` is for queries that only read; remove it, or access = \"write\"");
        }
        if let Some(scope) = &header.cache_scope {
            if header.cache.is_none() {
                self.add(start(scope.span()), "`cache_scope` has no effect without `cache`; set both or neither");
            }
            if *scope.get_ref() == Scope::Public && !(is_service && is_open) {
                self.add(
                    start(scope.span()),
                    "cache_scope = \"public\" shows one caller's answer to others; it needs run_as = \"service\" and \
                     allow = [\"*\"]",
                );
            }
        }
        if let Some(rows) = header.max_rows.as_ref().filter(|rows| *rows.get_ref() == 0) {
            self.add(start(rows.span()), "`max_rows` must be at least 1; leave it out for no limit");
        }
    }

    /// Reads the sections of parameters.
    fn parameters(&mut self, header: &Header) -> Vec<Parameter> {
        header.parameters.0.iter().filter_map(|(name, section)| self.parameter(name, section)).collect()
    }

    fn parameter(&mut self, name: &Spanned<String>, section: &Section) -> Option<Parameter> {
        let before = self.mistakes.len();
        let Text(kind) = &section.kind;
        let items = kind.innermost();
        let bounds = Bounds {
            minimum: self.bound("minimum", items, section.minimum.as_ref()),
            maximum: self.bound("maximum", items, section.maximum.as_ref()),
            min_length: section.min_length,
            max_length: section.max_length,
            pattern: section.pattern.as_ref().and_then(|text| match Pattern::new(text.get_ref()) {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    self.add(text.span().start, format!("`pattern` is not a regular expression: {error}"));
                    None
                }
            }),
            one_of: section.one_of.iter().filter_map(|value| self.bound("enum", items, Some(value))).collect(),
            min_items: section.min_items,
            max_items: section.max_items,
        };
        let mut parameter = Parameter {
            name: name.get_ref().clone(),
            kind: kind.clone(),
            nullable: section.nullable,
            description: section.description.clone(),
            example: self.bound("example", kind, section.example.as_ref()),
            default: self.bound("default", kind, section.default.as_ref()),
            bounds,
        };
        if self.mistakes.len() > before {
            return None;
        }
        if let Err(message) = parameter.complete() {
            self.add(name.span().start, format!("parameter `{}`: {message}", parameter.name));
            return None;
        }
        Some(parameter)
    }

    /// Reads a value of the header as one of type `kind`.
    fn bound(&mut self, key: &str, kind: &Type, value: Option<&Spanned<Value>>) -> Option<Bound> {
        let value = value?;
        let (mut raw, mut converted) = (Vec::new(), Vec::new());
        write(value.get_ref(), &mut Writer::new(&mut raw));
        if let Err(Misfit(found)) = convert(kind, &mut Reader::new(&raw), &mut converted) {
            self.add(value.span().start, format!("`{key}` must be {}, not {found}", kind.expected()));
            return None;
        }
        let json = json_of(value.get_ref());
        let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        Some(Bound { value: converted, text, json })
    }

    /// Checks the statement, and its parameters against the sections.
    fn statement<'s>(&mut self, rest: &'s str, header: &Header) -> &'s str {
        let statement = single_statement(rest).unwrap_or_else(|second| {
            let line = line_at(rest, second);
            self.mistakes.push((line, "a second statement begins here; write one for each file".to_owned()));
            rest
        });
        if is_blank(statement) {
            self.mistakes.push((1, "the file has no statement; write one below the header".to_owned()));
        }
        let mut named = HashSet::new();
        for (name, end) in parameters_in(statement) {
            let is_declared = header.parameters.0.iter().any(|(declared, _)| declared.get_ref() == name);
            if named.insert(name) && !is_declared {
                let message = format!("the statement names ${name}; describe it in [parameters.{name}]");
                self.mistakes.push((line_at(rest, end), message));
            }
        }
        for (name, _) in &header.parameters.0 {
            if !named.contains(name.get_ref().as_str()) {
                let message = format!("the statement does not name ${}; use it, or remove its section", name.get_ref());
                self.add(name.span().start, message);
            }
        }
        statement
    }
}

/// Writes a value of TOML. Dates and times become their text, which stands for them.
fn write(value: &Value, writer: &mut Writer<'_>) {
    match value {
        Value::String(text) => writer.string(text),
        Value::Integer(integer) => writer.integer(*integer),
        Value::Float(float) => writer.float(*float),
        Value::Boolean(value) => writer.boolean(*value),
        Value::Datetime(moment) => writer.string(&moment.to_string()),
        Value::Array(items) => {
            writer.list(items.len());
            items.iter().for_each(|item| write(item, writer));
        }
        Value::Table(table) => {
            writer.map(table.len());
            for (key, value) in table {
                writer.string(key);
                write(value, writer);
            }
        }
    }
}

fn json_of(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => json!(text),
        Value::Integer(integer) => json!(integer),
        Value::Float(float) => json!(float),
        Value::Boolean(value) => json!(value),
        Value::Datetime(moment) => json!(moment.to_string()),
        Value::Array(items) => items.iter().map(json_of).collect(),
        Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), json_of(value))).collect(),
    }
}
