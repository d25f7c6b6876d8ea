//! `interface`: a network interface of this machine, and its addresses.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::number::{Count, Number};
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::probes::declared::interfaces;
use crate::unit::Pace;
use crate::verdict::{Seen, Verdict};

/// An interface, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Interface {
    name: String,
    exists: bool,
    is_up: Option<bool>,
    addresses: Vec<(IpAddr, Option<u32>)>,
    only: bool,
    mtu: Option<Number>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its name: "eth0", "en0".
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Whether there must be such an interface, or none; default true.
    pub exists: Option<bool>,
    /// Whether it must be switched on and have a link, or must not.
    pub up: Option<bool>,
    /// Addresses that it has, with or without the length of the prefix: "192.0.2.7/24"; there may be more.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<config::Text>,
    /// Whether there may not be more; default false.
    pub only: Option<bool>,
    /// The largest packet that it carries whole, in bytes, or its bounds: `{ min = 1400 }`.
    #[schemars(with = "Option<Count>")]
    pub mtu: Option<Spanned<Count>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Interface> {
        let name = it.shaped(Some(&self.name), "interface", "write eth0", |name| {
            let odd = |it: char| it.is_whitespace() || it.is_control() || it == '/';
            (!name.is_empty() && !name.starts_with(['-', '.']) && !name.contains(odd))
                .then(|| name.to_owned())
        })??;
        let mut addresses = Vec::new();
        for written in &self.addresses {
            let hint = "write 192.0.2.7 or 192.0.2.7/24";
            addresses.extend(it.shaped(Some(written), "address", hint, address)?);
        }
        let exists = self.exists.unwrap_or(true);
        let only = self.only.unwrap_or(false);
        let asks_more = self.up.is_some() || !addresses.is_empty() || only || self.mtu.is_some();
        if !exists && asks_more {
            it.wrong(place, "of what must not be there nothing can be asked", "");
            return None;
        }
        let mtu = match &self.mtu {
            Some(mtu) => Some(Count::read(mtu, (0, u32::MAX), "every interface has such an MTU", it)?),
            None => None,
        };
        Some(Interface { name, exists, is_up: self.up, addresses, only, mtu })
    }
}

fn address(text: &str) -> Option<(IpAddr, Option<u32>)> {
    let Some((address, prefix)) = text.split_once('/') else { return Some((text.parse().ok()?, None)) };
    let (address, prefix): (IpAddr, u32) = (address.parse().ok()?, prefix.parse().ok()?);
    let most = if address.is_ipv4() { 32 } else { 128 };
    (prefix <= most).then_some((address, Some(prefix)))
}

impl Question for Interface {
    fn summary(&self) -> String {
        let Self { name, exists, .. } = self;
        if *exists {
            format!("the interface {name} is as it should be")
        } else {
            format!("there is no interface {name}")
        }
    }

    /// Asks the kernel.
    ///
    /// # Errors
    /// It does not tell.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("interfaces")?;
        let name = &self.name;
        let all = interfaces::all()?;
        let found = match (all.get(name), self.exists) {
            (None, false) => return Ok(Verdict::pass()),
            (None, true) => {
                let names: Vec<&str> = all.keys().map(String::as_str).collect();
                let failure = Verdict::fail(format!("there is no interface {name}"));
                return Ok(failure.with("expected", name.as_str()).with("actual", names.join(", ")));
            }
            (Some(_), false) => return Ok(Verdict::fail(format!("there is an interface {name}"))),
            (Some(found), true) => found,
        };
        let state = |is_up: bool| if is_up { "up" } else { "down" };
        if let Some(wanted) = self.is_up.filter(|wanted| *wanted != found.is_up) {
            let failure = Verdict::fail(format!("the interface {name} is {}", state(found.is_up)));
            return Ok(failure.with("expected", state(wanted)).with("actual", state(found.is_up)));
        }
        let has: Vec<String> = found.addresses.iter().map(|(ip, prefix)| format!("{ip}/{prefix}")).collect();
        let is = |(ip, prefix): &(IpAddr, Option<u32>), other: &(IpAddr, u32)| {
            *ip == other.0 && prefix.is_none_or(|prefix| prefix == other.1)
        };
        let written = |(ip, prefix): &(IpAddr, Option<u32>)| {
            prefix.map_or_else(|| ip.to_string(), |prefix| format!("{ip}/{prefix}"))
        };
        let told = |message: String| {
            let wanted: Vec<String> = self.addresses.iter().map(written).collect();
            let expected = if wanted.is_empty() { "no address".to_owned() } else { wanted.join(", ") };
            let actual = if has.is_empty() { "no address".to_owned() } else { has.join(", ") };
            Ok(Verdict::fail(message).with("expected", expected).with("actual", actual))
        };
        let missing = self.addresses.iter().find(|it| !found.addresses.iter().any(|other| is(it, other)));
        if let Some(missing) = missing {
            return told(format!("the interface {name} lacks the address {}", written(missing)));
        }
        let more = found.addresses.iter().position(|other| !self.addresses.iter().any(|it| is(it, other)));
        if let Some(more) = more.filter(|_| self.only) {
            return told(format!("the interface {name} has the address {} too", has[more]));
        }
        let Some(wanted) = self.mtu else { return Ok(Verdict::pass().with("actual", has.join(", "))) };
        let mtu = interfaces::mtu(name, deadline)?;
        let verdict = if wanted.has(mtu.into()) {
            Verdict::pass()
        } else {
            Verdict::fail(format!("the interface {name} has another MTU"))
        };
        Ok(verdict.with("expected", wanted.to_string()).with("actual", mtu.to_string()))
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}
