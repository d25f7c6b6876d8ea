//! One resource of a gossfile while it is turned: each of its attributes is taken, or named.

use std::collections::BTreeMap;

use super::super::yaml::{Key, Node, Value};
use super::super::{Item, template};
use super::matcher::{self, Of, Reason};

/// A resource, and what is left of it.
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) line: usize,
    rest: BTreeMap<&'a str, (usize, &'a Node)>,
    holes: &'a [String],
    /// What was not turned: its line, what it is, why.
    pub(super) named: Vec<(usize, String, Reason)>,
}

/// A check that a resource becomes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// Our kind: "connect".
    pub(super) kind: &'static str,
    pub(super) table: Vec<(String, Item)>,
    /// How long its look may take, in milliseconds.
    pub(super) timeout: Option<u64>,
}

impl Draft {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, table: Vec::new(), timeout: None }
    }

    pub(super) fn say(&mut self, key: &str, item: Item) {
        self.table.push((key.to_owned(), item));
    }

    /// The same, where there is something to say.
    pub(super) fn maybe(&mut self, key: &str, item: Option<Item>) {
        if let Some(item) = item {
            self.say(key, item);
        }
    }
}

impl<'a> Resource<'a> {
    pub(super) fn new(key: &'a Key, node: &'a Node, holes: &'a [String]) -> Self {
        let mut named = Vec::new();
        let rest = match &node.value {
            Value::Map(map) => map.iter().map(|(key, node)| (key.text.as_str(), (key.line, node))).collect(),
            Value::Null => BTreeMap::new(),
            _ => {
                named.push((key.line, String::new(), "it is no map".to_owned()));
                BTreeMap::new()
            }
        };
        Self { id: &key.text, line: key.line, rest, holes, named }
    }

    /// Writes down that something is not turned; nothing said: the whole of it.
    pub(super) fn miss(&mut self, line: usize, attribute: &str, why: impl Into<Reason>) {
        self.named.push((line, attribute.to_owned(), why.into()));
    }

    /// The same of what is left without a question, where nothing has said why.
    pub(super) fn asks_nothing(&mut self) {
        if self.named.is_empty() {
            self.miss(self.line, "", "nothing is asked of it");
        }
    }

    /// Takes an attribute and reads it; what cannot be read is named.
    pub(super) fn read<T>(
        &mut self,
        attribute: &'static str,
        read: impl FnOnce(&'a Node) -> Result<T, Reason>,
    ) -> Option<T> {
        let (line, node) = self.rest.remove(attribute)?;
        if node.value == Value::Null {
            return None;
        }
        let value = match hole(node, self.holes) {
            Some(hole) => Err(format!("the template {hole} is not turned")),
            None => read(node),
        };
        value.map_err(|why| self.miss(line, attribute, why)).ok()
    }

    /// An attribute that has no counterpart: it is named where it asks for something.
    pub(super) fn without(&mut self, attribute: &'static str, why: &str) {
        let Some((line, node)) = self.rest.remove(attribute) else { return };
        let is_nothing = match &node.value {
            Value::Null | Value::Bool(false) => true,
            Value::Text(text) => text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Bool(true) | Value::Number(_) => false,
        };
        if !is_nothing {
            self.miss(line, attribute, why);
        }
    }

    /// Takes attributes that goss itself never looks at.
    pub(super) fn drop(&mut self, attributes: &[&str]) {
        self.rest.retain(|name, _| !attributes.contains(name));
    }

    /// Goss judges nothing more of what is not there.
    pub(super) fn drop_all(&mut self) {
        self.rest.clear();
    }

    /// The name that an attribute gives, else the key.
    pub(super) fn name(&mut self, attribute: &'static str) -> String {
        self.read(attribute, matcher::exactly)
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| self.id.to_owned())
    }

    pub(super) fn flag(&mut self, attribute: &'static str) -> Option<bool> {
        self.read(attribute, matcher::flag)
    }

    pub(super) fn exactly(&mut self, attribute: &'static str) -> Option<Item> {
        self.read(attribute, matcher::exactly).map(Item::Text)
    }

    /// One text, or any of several.
    pub(super) fn any(&mut self, attribute: &'static str) -> Option<Item> {
        self.read(attribute, matcher::any)
    }

    pub(super) fn said(&mut self, attribute: &'static str, of: Of) -> Option<Item> {
        self.read(attribute, |node| matcher::said(node, of)).and_then(matcher::Said::item)
    }

    /// Milliseconds, if they are said.
    pub(super) fn timeout(&mut self) -> Option<u64> {
        self.read("timeout", matcher::count).filter(|it| *it > 0)
    }

    /// Several values, and whether there may be no more.
    pub(super) fn several(&mut self, attribute: &'static str) -> Option<(Vec<String>, bool)> {
        self.read(attribute, matcher::several).filter(|(all, _)| !all.is_empty())
    }

    /// The same, where more must be allowed.
    pub(super) fn some(&mut self, attribute: &'static str) -> Option<Item> {
        let all = self.read(attribute, |node| match matcher::several(node)? {
            (_, true) => Err("that there are no more is not asked here".to_owned()),
            (all, false) => Ok(all),
        });
        all.filter(|it| !it.is_empty()).map(Item::texts)
    }

    /// What nobody took.
    pub(super) fn left(&mut self) {
        let left: Vec<(usize, String)> =
            self.rest.iter().map(|(name, (line, _))| (*line, (*name).to_owned())).collect();
        for (line, name) in left {
            self.miss(line, &name, "goss has no such attribute");
        }
    }
}

fn hole<'a>(node: &Node, holes: &'a [String]) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) => template::hole(text, holes),
        Value::List(list) => list.iter().find_map(|it| hole(it, holes)),
        Value::Map(map) => {
            map.iter().find_map(|(key, node)| template::hole(&key.text, holes).or_else(|| hole(node, holes)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
