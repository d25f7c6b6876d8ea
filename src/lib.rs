//! Housecall examines what a developer keeps running, says which link broke first, and mends it.
//!
//! ```text
//! args + configuration ─▶ Config ─▶ Selection ─▶ run(selection, cx) ─▶ Vec<Examined> ─▶ Report ─▶ String
//!                                                   │  ▲                    │
//!                                                   ▼  │ memoised           └─▶ mend: plan ─▶ Hands ─▶ fresh Cx
//!                                                 Probes ─▶ Machine                   ▲────── look ──────┘
//! ```
//!
//! Every verb is a selection of units and a consent. `docs/architecture.md` tells the rest.

pub mod check;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod config;
pub mod cx;
pub mod declared;
pub mod error;
pub mod demo;
pub mod exit;
pub mod fixes;
pub mod import;
pub mod init;
pub mod probes;
pub mod git;
pub mod plain;
pub mod lint;
pub mod redact;
pub mod bundle;
pub mod report;
pub mod progress;
pub mod run;
pub mod selection;
pub mod services;
pub mod serve;
pub mod trust;
pub mod unit;
pub mod verdict;
pub mod version;
pub mod who;
