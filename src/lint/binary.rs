//! Binary property lists, measured before they are read.
//!
//! Their objects are referred to by number, so that a small file can hold an endless one: many references
//! to the same array, or arrays without end in arrays. What is no job is refused before it is unfolded.

use std::collections::HashMap;
use std::io::Cursor;

use ::plist::Value as Binary;

use super::plist::{Entry, Node, Value};

/// Deeper than any job.
const DEPTH: usize = 100;

/// More values than any job has.
const VALUES: usize = 1 << 20;

/// Reads it; `Err`: what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Node, String> {
    let table = Table::of(bytes).ok_or("its table of objects is cut off")?;
    let top = table.top.ok_or("it has no first object")?;
    table.measure(top, 0, &mut HashMap::new())?;
    Binary::from_reader(Cursor::new(bytes)).map(node).map_err(|error| error.to_string())
}

fn node(value: Binary) -> Node {
    let value = match value {
        Binary::Array(items) => Value::List(items.into_iter().map(node).collect()),
        Binary::Dictionary(entries) => {
            let entry = |(key, value)| Entry { key, line: None, node: node(value) };
            Value::Dict(entries.into_iter().map(entry).collect())
        }
        Binary::Boolean(flag) => Value::Flag(flag),
        Binary::Date(_) => Value::Date,
        Binary::Integer(number) => {
            let unsigned = number.as_unsigned().map(i128::from);
            Value::Integer(number.as_signed().map(i128::from).or(unsigned).unwrap_or_default())
        }
        Binary::Real(number) => Value::Real(number),
        Binary::String(text) => Value::Text(text),
        _ => Value::Data,
    };
    Node { line: None, value }
}

/// Where the objects are, as the last 32 bytes say.
struct Table<'a> {
    bytes: &'a [u8],
    offsets: usize,
    offset_size: usize,
    reference_size: usize,
    top: Option<usize>,
}

/// How many values an object unfolds to, and how deep.
type Size = (usize, usize);

impl<'a> Table<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.len().checked_sub(32)?;
        let (offset_size, reference_size) = (usize::from(bytes[start + 6]), usize::from(bytes[start + 7]));
        let top = number(bytes, start + 16, 8);
        Some(Self { bytes, offsets: number(bytes, start + 24, 8)?, offset_size, reference_size, top })
    }

    fn measure(&self, object: usize, depth: usize, known: &mut HashMap<usize, Size>) -> Result<Size, String> {
        let (values, height) = match known.get(&object) {
            Some(&size) => size,
            None if depth > DEPTH => return Err("it is nested too deeply".into()),
            None => {
                let mut size = (1_usize, 0);
                for child in self.children(object).ok_or("it refers to what is not there")? {
                    let (values, height) = self.measure(child, depth + 1, known)?;
                    size = (size.0.saturating_add(values), size.1.max(height + 1));
                }
                known.insert(object, size);
                size
            }
        };
        if depth + height > DEPTH {
            return Err("it is nested too deeply".into());
        }
        if values > VALUES {
            return Err("it unfolds to more values than any job has".into());
        }
        Ok((values, height))
    }

    /// The objects in an array, a set or a dictionary; none in what is none of them.
    fn children(&self, object: usize) -> Option<Vec<usize>> {
        let place = self.offsets.checked_add(object.checked_mul(self.offset_size)?)?;
        let at = number(self.bytes, place, self.offset_size)?;
        let marker = *self.bytes.get(at)?;
        let each = match marker >> 4 {
            0xA..=0xC => 1,
            0xD => 2,
            _ => return Some(Vec::new()),
        };
        let (count, first) = match marker & 0xF {
            // A longer count stands in an integer object of its own.
            0xF => {
                let size = 1_usize << (self.bytes.get(at + 1)? & 0xF).min(3);
                (number(self.bytes, at + 2, size)?, at + 2 + size)
            }
            count => (usize::from(count), at + 1),
        };
        let references = count.checked_mul(each).filter(|&it| it <= self.bytes.len())?;
        let reference =
            |index: usize| number(self.bytes, first + index * self.reference_size, self.reference_size);
        (0..references).map(reference).collect()
    }
}

/// A number of that many bytes, the highest first.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let digits = bytes.get(at..at.checked_add(size)?).filter(|_| (1..=8).contains(&size))?;
    usize::try_from(digits.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte))).ok()
}
