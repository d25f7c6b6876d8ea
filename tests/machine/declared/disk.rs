//! `disk`: room on a real volume.

use super::world::World;

#[test]
fn room_is_a_number_or_a_part() {
    let world = World::new();
    for good in
        ["free = '1 KiB'", "free = '1%'", "inodes = '1'", "free = '1B', inodes = '1%'", "used = { max = 99 }"]
    {
        assert_eq!(world.look(&format!("disk = {{ path = '~', {good} }}")), "pass", "{good}");
    }
    let told = world.look("disk = { path = '~', free = '8000 TiB' }");
    assert!(
        told.starts_with("fail: the volume of ~ has too little room; expected 8796093022208000 bytes"),
        "{told}"
    );
    let told = world.look("disk = { path = '~', free = '100%' }");
    assert!(told.starts_with("fail: the volume of ~ has too little room; expected"), "{told}");
    let told = world.look("disk = { path = '~', used = { above = 100 } }");
    assert!(
        told.starts_with("fail: the volume of ~ is ") && told.contains("expected more than 100"),
        "{told}"
    );
    let used: u32 = told.rsplit(' ').next().and_then(|it| it.parse().ok()).expect("a number");
    let around = format!("used = {{ min = {}, max = {} }}", used.saturating_sub(1), used + 1);
    assert_eq!(world.look(&format!("disk = {{ path = '~', {around} }}")), "pass");
    let told = world.look("disk = { path = '~', inodes = '9000000000000000' }");
    assert!(
        told.starts_with("fail: the volume of ~ can hold few more files; expected 9000000000000000"),
        "{told}"
    );
}

#[test]
fn what_is_not_there_or_not_counted_is_not_green() {
    let world = World::new();
    assert_eq!(world.look("disk = { path = 'x', free = '1%' }"), "fail: ~/x is not there");
    #[cfg(target_os = "linux")]
    assert_eq!(
        world.look("disk = { path = '/proc', inodes = '1%' }"),
        "unknown: cannot ask for the room at /proc: it does not count that"
    );
    #[cfg(target_os = "linux")]
    assert_eq!(
        world.look("disk = { path = '/proc', used = { max = 99 } }"),
        "unknown: cannot ask for the room at /proc: it does not count that"
    );
    assert!(world.mistakes("disk = { path = '~' }").contains("nothing is asked of the volume"));
    assert!(
        world.mistakes("disk = { path = '~', free = '101%' }").contains("`101%` is no part of the whole")
    );
    assert!(world.mistakes("disk = { path = '~', free = 'some' }").contains("`some` is no size"));
}
