//! What an examination costs beside what it waits for: the engine, judging, reporting, the cheap probes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use housecall::check::{Bound, Group, Severity};
use housecall::config::Config;
use housecall::cx::{Cx, Probes};
use housecall::probes::mounts::Mounts;
use housecall::probes::{processes, sockets};
use housecall::report::{Report, human, json};
use housecall::run::{judge, run};
use housecall::selection::Selection;
use housecall::unit::{Examined, Unit, UnitId};
use housecall::verdict::{Seen, Verdict};
use jiff::Timestamp;

criterion_group!(benches, engine, reports, probes);
criterion_main!(benches);

/// As many units as a real mirror has, each resting on the one before; every seventh fails.
const UNITS: usize = 30;

fn engine(criterion: &mut Criterion) {
    let (selection, cx) = (selection(), cx());
    criterion.bench_function("run: 30 looks that cost nothing", |it| it.iter(|| run(&selection, &cx)));
    let examined = run(&selection, &cx);
    criterion.bench_function("judge: 30 units in one chain", |it| it.iter(|| judge(examined.clone())));
}

fn reports(criterion: &mut Criterion) {
    let cx = cx();
    let examined = run(&selection(), &cx);
    criterion.bench_function("report: translate", |it| it.iter(|| report(&cx, &examined)));
    let report = report(&cx, &examined);
    criterion
        .bench_function("report: human", |it| it.iter(|| human::render(&report, &human::View::default())));
    criterion.bench_function("report: json", |it| it.iter(|| json::render(&report)));
}

fn probes(criterion: &mut Criterion) {
    criterion.bench_function("probe: everyone who listens", |it| it.iter(sockets::listening));
    criterion.bench_function("probe: one process", |it| it.iter(|| processes::read(std::process::id())));
    criterion.bench_function("probe: the mount table, and one path in it", |it| {
        it.iter(|| Mounts::read().map(|mounts| mounts.holding(Path::new("/home/ada/dev/site"))));
    });
}

fn selection() -> Selection {
    let look: fn(usize) -> Seen = |index| match index % 7 {
        6 => Ok(Verdict::fail("it is broken").with("expected", "a").with("actual", "b")),
        _ => Ok(Verdict::pass_with("it holds")),
    };
    let unit = |index: usize| {
        let bound: Bound = Arc::new(move |_| look(index));
        let name: &'static str = Box::leak(format!("unit-{index}").into_boxed_str());
        let needs = index.checked_sub(1).into_iter().collect();
        Unit { needs, ..Unit::new(UnitId::of(name), Group::Worktree.name(), bound) }
    };
    Selection { units: (0..UNITS).map(unit).collect() }
}

fn report(cx: &Cx, examined: &[Examined]) -> Report {
    let took = Duration::from_millis(12);
    Report::new(cx.config(), Severity::Error, examined, &[], None, cx.now(), took)
}

fn cx() -> Arc<Cx> {
    let home = PathBuf::from("/home/ada");
    let config = Config::empty("site", home.join("housecall.toml"), home.clone(), home.join("state"));
    Arc::new(Cx::given(Arc::new(config), Timestamp::UNIX_EPOCH, Probes::default()))
}
