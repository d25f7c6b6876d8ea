//! Reports as users see them: whole outputs, made from examinations given as values.

mod chance;
mod formats;
mod given;
mod parsed;
mod properties;
mod schema;
mod verdicts;
mod mends;
mod outside;
