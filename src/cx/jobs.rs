//! What a look may read of the jobs, and of the services that answer.

use std::borrow::Cow;
use std::path::Path;

use super::Cx;
use crate::config::service::base_of;
use crate::config::{Kept, Page, Service};
use crate::error::ProbeError;
use crate::probes::{Answer, jobs, logs};
use crate::services::Observed;

impl Cx {
    /// A page with its whole address, which of a service's page is read only now.
    ///
    /// # Errors
    /// See [`jobs::health`]; none where it is no service's.
    pub fn addressed<'a>(&self, page: &'a Page) -> Result<Cow<'a, Page>, ProbeError> {
        let Some(service) = &page.service else { return Ok(Cow::Borrowed(page)) };
        let health = self.health(service)?;
        let is_health = service.health.as_ref().is_some_and(|it| it.place.path() == page.path);
        let url = if is_health { (*health).clone() } else { format!("{}{}", base_of(&health), page.path) };
        Ok(Cow::Owned(Page { url, ..page.clone() }))
    }

    /// Where a service answers: the whole address of its health.
    ///
    /// # Errors
    /// See [`jobs::health`].
    pub fn health(&self, service: &Service) -> Answer<String> {
        self.probes
            .healths
            .get(service.name.clone(), || jobs::health(self.machine("healths")?, &self.config, service))
    }

    /// Who keeps a job.
    ///
    /// # Errors
    /// See [`jobs::keeping`].
    pub fn keeping(&self, kept: &Kept) -> Answer<jobs::Keeping> {
        self.probes.jobs.get(kept.subject(), || {
            self.machine("jobs")?;
            jobs::keeping(&self.config, kept)
        })
    }

    /// What its manager knows of a job.
    ///
    /// # Errors
    /// See [`jobs::observe`].
    pub fn observed(&self, managed: &jobs::Managed) -> Answer<Observed> {
        self.probes
            .observed
            .get(managed.job.name.clone(), || jobs::observe(self.machine("observed")?, &self.config, managed))
    }

    /// The files that define a job.
    ///
    /// # Errors
    /// See [`jobs::files`].
    pub fn job_files(&self, managed: &jobs::Managed) -> Answer<Vec<jobs::DefinitionFile>> {
        self.probes.job_files.get(managed.job.name.clone(), || {
            self.machine("job_files")?;
            // Where its manager cannot be asked, the file is looked for where it belongs.
            let observed = self.observed(managed).ok().and_then(|it| it.file.clone());
            jobs::files(&self.config, managed, observed.as_deref())
        })
    }

    /// What is at a path that a job names.
    ///
    /// # Errors
    /// See [`jobs::named`].
    pub fn named(&self, path: &Path) -> Answer<jobs::Named> {
        self.probes.named.get(path.to_owned(), || jobs::named(self.machine("named")?, path))
    }

    /// A log that a manager writes for a job.
    ///
    /// # Errors
    /// See [`logs::read_at`].
    pub fn job_log(&self, path: &Path) -> Answer<logs::Log> {
        self.probes.job_logs.get(path.to_owned(), || {
            self.machine("job_logs")?;
            logs::read_at(&self.config, path)
        })
    }
}
