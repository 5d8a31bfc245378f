//! Visits the values of a record, at any depth, without a tree of them.

use smallvec::SmallVec;

use super::entity::{Node, Relationship};
use super::error::RowError;
use super::path::{Path, PathPart};
use super::row::begin;
use super::walk::DEPTH_LIMIT;
use crate::bolt::packstream::{Reader, Token, tag};

/// The open collections of a value.
pub(super) type Open<T> = SmallVec<[T; 16]>;

/// Opens a collection.
pub(super) fn push<T>(open: &mut Open<T>, collection: T) -> Result<(), RowError> {
    if open.len() >= DEPTH_LIMIT {
        return Err(RowError::TooDeep);
    }
    open.push(collection);
    Ok(())
}

/// What is left of an open collection.
#[derive(Clone, Copy)]
struct Left {
    items: usize,
    is_map: bool,
}

/// A node or a relationship.
pub(super) enum Entity<'a> {
    Node(Node<'a>),
    Relationship(Relationship<'a>),
}

/// Visits the values of a row that are neither lists nor maps. The visitor of a structure moves the reader past it.
pub(super) fn each_value<'a>(
    fields: &'a [u8],
    columns: usize,
    mut visit: impl FnMut(&mut Reader<'a>, Token<'a>) -> Result<(), RowError>,
) -> Result<(), RowError> {
    let mut reader = begin(fields, columns)?;
    let mut open = Open::new();
    push(&mut open, Left { items: columns, is_map: false })?;
    while let Some(top) = open.last_mut() {
        if top.items == 0 {
            open.pop();
            continue;
        }
        top.items -= 1;
        if top.is_map {
            reader.skip()?;
        }
        match reader.token()? {
            Token::List(items) => push(&mut open, Left { items, is_map: false })?,
            Token::Map(items) => push(&mut open, Left { items, is_map: true })?,
            token => visit(&mut reader, token)?,
        }
    }
    Ok(())
}

/// Visits the nodes and relationships of a row in order, those of paths among them, as often as they occur. `path` is
/// what a path is read into: one for many rows, so that they need not allocate.
pub(super) fn each_entity<'a>(
    fields: &'a [u8],
    columns: usize,
    path: &mut Path,
    mut visit: impl FnMut(Entity<'a>) -> Result<(), RowError>,
) -> Result<(), RowError> {
    each_value(fields, columns, |reader, token| {
        match token {
            Token::Struct(tag::NODE, count @ (3 | 4)) => visit(Entity::Node(Node::read(reader, count)?))?,
            Token::Struct(tag::RELATIONSHIP, count @ (5 | 8)) => {
                visit(Entity::Relationship(Relationship::read(reader, count)?))?;
            }
            Token::Struct(tag::PATH, 3) => {
                for _ in 0..path.reread(fields, reader)? {
                    visit(match path.next(fields)? {
                        PathPart::Node(node) => Entity::Node(Node::of_path(node, fields)?),
                        PathPart::Relationship { relationship, start, end } => {
                            Entity::Relationship(Relationship::of_path(relationship, [start, end], fields)?)
                        }
                    })?;
                }
                path.skip(fields, reader);
            }
            Token::Struct(_, count) => {
                for _ in 0..count {
                    reader.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    })
}
