//! XML property lists as CoreFoundation reads them, with its own words for what is wrong.
//!
//! No XML library serves here: the strict ones refuse what launchd accepts (`--` in a comment, no
//! declaration), and none says what `plutil` says. A raw `&` is reported and read over, so that the rest
//! of the file is judged too; any other mistake ends the reading.

use super::plist::{Entry, Node, Value};
use super::{Finding, Severity};

/// Deeper than any job.
const DEPTH: usize = 100;

const TAGS: [&str; 11] =
    ["plist", "array", "dict", "key", "string", "data", "date", "true", "false", "real", "integer"];

/// What was read, and what stood in the way.
pub(super) struct Syntax {
    pub(super) root: Option<Node>,
    pub(super) problems: Vec<Finding>,
}

/// The sentence and its line.
struct Problem {
    message: String,
    line: usize,
}

/// An open tag: its name and whether it ends in `/>`.
struct Tag<'a> {
    name: &'a str,
    line: usize,
    is_empty: bool,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// The keys that lead here.
    keys: Vec<String>,
    depth: usize,
    problems: Vec<Finding>,
}

/// Reads an XML property list.
pub(super) fn parse(text: &str) -> Syntax {
    let mut parser = Parser { text, at: 0, line: 1, keys: Vec::new(), depth: 0, problems: Vec::new() };
    if text.is_empty() {
        let problem = Problem { message: "Cannot parse a NULL or zero-length data".into(), line: 1 };
        parser.report(problem);
        return Syntax { root: None, problems: parser.problems };
    }
    let root = match parser.document() {
        Ok(root) => Some(root),
        Err(problem) => {
            parser.report(problem);
            None
        }
    };
    Syntax { root, problems: parser.problems }
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let passed = &self.text[self.at..self.at + bytes];
        self.line += passed.bytes().filter(|&byte| byte == b'\n').count();
        self.at += bytes;
        passed
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.skip(rest.len() - rest.trim_start().len());
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { message: message.into(), line: self.line }
    }

    fn end_of_file(&self) -> Problem {
        self.problem("Encountered unexpected EOF")
    }

    fn report(&mut self, problem: Problem) {
        let key = (!self.keys.is_empty()).then(|| self.keys.join("."));
        let suggestion = problem.message.contains("ampersand").then(|| "&amp;".to_owned());
        self.problems.push(Finding {
            severity: Severity::Error,
            code: "syntax",
            key,
            line: Some(problem.line),
            message: problem.message,
            suggestion,
        });
    }

    fn document(&mut self) -> Result<Node, Problem> {
        self.skip_misc()?;
        let tag = self.open_tag()?;
        if tag.name != "plist" {
            return self.value(&tag);
        }
        let Some(tag) = (if tag.is_empty { None } else { self.next_tag()? }) else {
            return Err(self.problem("Encountered empty plist tag"));
        };
        let root = self.value(&tag)?;
        if self.next_tag()?.is_some() {
            let line = self.line;
            let message =
                format!("Encountered unexpected element at line {line} (plist can only include one object)");
            return Err(self.problem(message));
        }
        self.close_tag("plist")?;
        Ok(root)
    }

    /// Passes white space, comments, processing instructions and the document type.
    fn skip_misc(&mut self) -> Result<(), Problem> {
        loop {
            self.skip_space();
            let rest = self.rest();
            let started = self.line;
            if rest.starts_with("<!--") {
                let end = rest
                    .find("-->")
                    .ok_or_else(|| self.problem(format!("Unterminated comment started on line {started}")))?;
                self.skip(end + 3);
            } else if rest.starts_with("<?") {
                let end = rest.find("?>").ok_or_else(|| self.end_of_file())?;
                self.skip(end + 2);
            } else if rest.starts_with("<!") {
                let end = end_of_doctype(rest).ok_or_else(|| self.end_of_file())?;
                self.skip(end);
            } else {
                return Ok(());
            }
        }
    }

    /// The next element's open tag, or `None` before a close tag.
    fn next_tag(&mut self) -> Result<Option<Tag<'a>>, Problem> {
        self.skip_misc()?;
        if self.rest().starts_with("</") { Ok(None) } else { self.open_tag().map(Some) }
    }

    fn open_tag(&mut self) -> Result<Tag<'a>, Problem> {
        let rest = self.rest();
        let line = self.line;
        let first = rest.chars().next().ok_or_else(|| self.end_of_file())?;
        if first != '<' {
            let message =
                format!("Encountered unexpected character {first} on line {line} while looking for open tag");
            return Err(self.problem(message));
        }
        let end = rest.find('>').ok_or_else(|| self.end_of_file())?;
        let inside = &rest[1..end];
        let name = inside.split(|it: char| it.is_whitespace() || it == '/').next().unwrap_or_default();
        if !TAGS.contains(&name) {
            let shown: String = name.chars().take(40).collect();
            return Err(self.problem(format!("Encountered unknown tag {shown} on line {line}")));
        }
        self.skip(end + 1);
        Ok(Tag { name, line, is_empty: inside.ends_with('/') })
    }

    fn close_tag(&mut self, name: &str) -> Result<(), Problem> {
        let rest = self.rest();
        let line = self.line;
        let Some(inside) = rest.strip_prefix("</") else {
            return Err(match rest.chars().next() {
                None => self.end_of_file(),
                Some('<') => self.problem(format!("Close tag on line {line} does not match open tag {name}")),
                Some(other) => self.problem(format!(
                    "Encountered unexpected character {other} on line {line} while looking for close tag"
                )),
            });
        };
        let end = inside.find('>').ok_or_else(|| self.end_of_file())?;
        if inside[..end].trim_end() != name {
            return Err(self.problem(format!("Close tag on line {line} does not match open tag {name}")));
        }
        self.skip(end + 3);
        Ok(())
    }

    fn value(&mut self, tag: &Tag<'a>) -> Result<Node, Problem> {
        if self.depth == DEPTH {
            return Err(self.problem(format!("Too many nested elements on line {}", tag.line)));
        }
        self.depth += 1;
        let value = match tag.name {
            "dict" => Value::Dict(self.entries(tag)?),
            "array" => Value::List(self.items(tag)?),
            "true" | "false" => {
                if !tag.is_empty {
                    self.close_tag(tag.name)?;
                }
                Value::Flag(tag.name == "true")
            }
            // CoreFoundation takes a <key> in the place of a value for a string.
            "string" | "key" => Value::Text(self.content(tag)?),
            "integer" => self.integer(tag)?,
            "real" => self.real(tag)?,
            "date" => self.content(tag).map(|_| Value::Date)?,
            "data" => self.content(tag).map(|_| Value::Data)?,
            _ => return Err(self.problem(format!("Encountered unexpected tag plist on line {}", tag.line))),
        };
        self.depth -= 1;
        Ok(Node { line: Some(tag.line), value })
    }

    fn items(&mut self, tag: &Tag<'a>) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        if tag.is_empty {
            return Ok(items);
        }
        while let Some(item) = self.next_tag()? {
            items.push(self.value(&item)?);
        }
        self.close_tag("array")?;
        Ok(items)
    }

    fn entries(&mut self, tag: &Tag<'a>) -> Result<Vec<Entry>, Problem> {
        let mut entries = Vec::new();
        if tag.is_empty {
            return Ok(entries);
        }
        while let Some(tag) = self.next_tag()? {
            let line = tag.line;
            if tag.name != "key" {
                return Err(self.problem(format!("Found non-key inside <dict> at line {line}")));
            }
            let key = self.content(&tag)?;
            self.keys.push(key.clone());
            let Some(value) = self.next_tag()? else {
                return Err(Problem {
                    message: format!("Value missing for key inside <dict> at line {line}"),
                    line,
                });
            };
            let node = self.value(&value)?;
            self.keys.pop();
            entries.push(Entry { key, line: Some(line), node });
        }
        self.close_tag("dict")?;
        Ok(entries)
    }

    /// The text of an element up to its close tag, entities resolved.
    fn content(&mut self, tag: &Tag<'a>) -> Result<String, Problem> {
        let mut content = String::new();
        if tag.is_empty {
            return Ok(content);
        }
        loop {
            let rest = self.rest();
            let plain = rest.find(['<', '&']).ok_or_else(|| self.end_of_file())?;
            content.push_str(self.skip(plain));
            let rest = &rest[plain..];
            if rest.starts_with("<![CDATA[") {
                let end = rest.find("]]>").ok_or_else(|| self.end_of_file())?;
                content.push_str(&self.skip(end + 3)[9..end]);
            } else if rest.starts_with('<') {
                self.close_tag(tag.name)?;
                return Ok(content);
            } else if let Some((resolved, length)) = entity(rest) {
                self.skip(length);
                content.push(resolved);
            } else {
                let line = self.line;
                self.report(Problem {
                    message: format!("Encountered unknown ampersand-escape sequence at line {line}"),
                    line,
                });
                content.push_str(self.skip(1));
            }
        }
    }

    fn integer(&mut self, tag: &Tag<'a>) -> Result<Value, Problem> {
        let content = self.content(tag)?;
        let line = tag.line;
        let text = content.trim();
        if text.is_empty() {
            return Err(self.problem(format!("Encountered empty <integer> on line {line}")));
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None => (digits, 10),
        };
        if let Some(other) = digits.chars().find(|it| !it.is_digit(radix)) {
            let message = format!("Unknown character '{other}' in <integer> on line {line}");
            return Err(Problem { message, line });
        }
        let number = i128::from_str_radix(digits, radix)
            .ok()
            .filter(|&number| number <= i128::from(u64::MAX))
            .ok_or_else(|| Problem {
                message: format!("Encountered <integer> too large on line {line}"),
                line,
            })?;
        Ok(Value::Integer(sign * number))
    }

    fn real(&mut self, tag: &Tag<'a>) -> Result<Value, Problem> {
        let line = tag.line;
        let content = self.content(tag)?;
        content
            .trim()
            .parse()
            .map(Value::Real)
            .map_err(|_| Problem { message: format!("Encountered misformatted real on line {line}"), line })
    }
}

/// The length of `<!DOCTYPE …>`, with an internal subset if there is one.
fn end_of_doctype(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'>' if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The character that an entity stands for, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let resolved = match text.get(1..end)? {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((resolved, end + 1))
}
