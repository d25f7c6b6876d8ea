//! What declared checks ask of the network, once for all of them.

use super::Cx;
use crate::probes::Answer;
use crate::probes::sockets::table::{self, Holders, Table};

impl Cx {
    /// Every socket that waits.
    ///
    /// # Errors
    /// See [`table::read`].
    pub fn sockets(&self) -> Answer<Table> {
        self.probes.sockets.get(|| {
            self.machine("sockets")?;
            table::read()
        })
    }

    /// Who holds them.
    ///
    /// # Errors
    /// As for [`Self::sockets`].
    pub fn holders(&self) -> Answer<Holders> {
        self.probes.holders.get(|| Ok(self.sockets()?.holders()))
    }
}
