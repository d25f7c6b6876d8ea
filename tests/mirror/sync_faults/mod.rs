//! Every fault that may befall a sync, on real repositories: the next cycle aligns or says why not, and nothing is lost.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

mod oracle;

mod attributes;
mod carried;
mod configured;
mod full;
mod hidden;
mod installers;
mod kept;
mod line;
mod managers;
mod meanwhile;
mod moved;
mod names;
mod neighbours;
mod rights;
mod shapes;
mod symbolic;
mod torn;
mod upstream;
