//! The published schemas, asked as an editor or a program of a user asks them: nothing of Housecall takes part.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// One of the files in `schema/`.
pub struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The schema in that file; formats such as dates are asserted.
    ///
    /// # Panics
    /// It is no schema.
    pub fn published(name: &str) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/").to_owned() + name;
        let text = std::fs::read_to_string(path).expect("the schema is published");
        let url = format!("https://example.org/{name}");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(&url, serde_json::from_str(&text).expect("JSON")).expect("a schema");
        let index = compiler.compile(&url, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, index }
    }

    /// What the schema holds against a document, if anything.
    ///
    /// # Errors
    /// The places that are wrong, and why.
    pub fn accepts(&self, document: &Value) -> Result<(), String> {
        self.schemas.validate(document, self.index).map_err(|error| format!("{error:#}"))
    }
}
