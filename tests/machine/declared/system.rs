//! `mount` and `kernel-param`: what Linux itself says.
#![cfg(target_os = "linux")]

use super::world::World;

#[test]
fn a_mount_is_as_asked() {
    let world = World::new();
    for good in [
        "mount = { path = '/' }",
        "mount = { path = '/proc', filesystem = 'proc', source = 'proc' }",
        "mount = { path = '/proc', options = ['rw'] }",
        "mount = { path = '/proc', options = ['rw'], superblock = ['rw'] }",
        "mount = { path = '~', exists = false }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    for (question, told) in [
        ("mount = { path = '~' }", "fail: nothing is mounted at ~"),
        (
            "mount = { path = '/proc', exists = false }",
            "fail: something is mounted at /proc; actual proc (proc)",
        ),
        (
            "mount = { path = '/proc', filesystem = 'ext4' }",
            "fail: /proc has another filesystem; expected ext4",
        ),
        ("mount = { path = '/proc', source = 'h:/srv' }", "fail: /proc has another source; expected h:/srv"),
        (
            "mount = { path = '/proc', options = ['sync'] }",
            "fail: /proc is mounted without sync; expected sync",
        ),
        (
            "mount = { path = '/proc', superblock = ['nosuid'] }",
            "fail: the filesystem at /proc is without nosuid; expected nosuid; actual rw",
        ),
    ] {
        let seen = world.look(question);
        assert!(seen.starts_with(told), "{question}: {seen}");
        assert!(world.nowhere(question).starts_with("unknown: the test gave no"), "{question}");
    }
    assert!(
        world
            .mistakes("mount = { path = '/x', exists = false, source = 'y' }")
            .contains("nothing can be asked")
    );
}

#[test]
fn a_parameter_of_the_kernel_is_as_asked() {
    let world = World::new();
    for good in [
        "kernel-param = { key = 'kernel.ostype', value = { equals = 'Linux' } }",
        "kernel-param = { key = 'kernel/ostype', value = { matches = ['^L'] } }",
        "kernel-param = { key = 'kernel.random.poolsize', value = { matches = ['^\\d+$'] } }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    assert_eq!(
        world.look("kernel-param = { key = 'kernel.ostype', value = { equals = 'Darwin' } }"),
        "fail: kernel.ostype is another; expected Darwin; actual Linux"
    );
    assert_eq!(
        world.look("kernel-param = { key = 'kernel.no_such', value = { absent = ['1'] } }"),
        "fail: the kernel has no parameter kernel.no_such"
    );
    let told = world.look("kernel-param = { key = 'kernel.random', value = { absent = ['1'] } }");
    assert!(told.starts_with("unknown: cannot read the kernel's kernel.random"), "{told}");
    for (question, told) in [
        ("kernel-param = { key = 'kernel...x', value = { equals = '1' } }", "is no kernel parameter"),
        ("kernel-param = { key = 'kernel.ostype', value = {} }", "nothing is asked of the text"),
    ] {
        assert!(world.mistakes(question).contains(told), "{question}");
    }
}
