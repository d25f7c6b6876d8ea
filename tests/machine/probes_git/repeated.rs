//! What is counted as set aside again and again, by the places where it is kept.

use std::path::Path;

use housecall::fixes::hands::files::vacant;
use housecall::probes::git;

use super::world::World;

fn counted(world: &World) -> Vec<(String, usize)> {
    let found = git::repeated(&world.config, &world.mirror).expect("git's answer");
    found.into_iter().map(|it| (it.path, it.times)).collect()
}

fn is_counted(world: &World, path: &str, times: usize) {
    let found = counted(world);
    assert!(found.contains(&(path.to_owned(), times)), "{path}: {found:?}");
}

#[test]
fn a_folder_of_the_projects_that_is_called_by_a_number_is_no_rescue_of_its_own() {
    let mut world = World::new();
    world.mirror.carry = ["2020/.env", "2021/.env", "saved/.env"].map(Into::into).to_vec();
    for file in &world.mirror.carry {
        world.home.write(Path::new("ops/rescued/2026-03-16T20-29-43").join(file), "KEY=1\n");
    }
    let found = counted(&world);
    assert_eq!(found.len(), 3, "{found:?}");
    for path in ["2020/.env", "2021/.env", "saved/.env"] {
        is_counted(&world, path, 1);
    }
}

#[test]
fn several_of_one_second_are_counted_each_wherever_they_lie() {
    let world = World::new();
    let place = world.config.state.join("rescued/2026-03-16T20-29-43");
    for kind in ["", "saved", "as-it-was"] {
        let file = Path::new("deep").join(format!("note{kind}.txt"));
        for times in 1..=3 {
            let vacant = vacant(&place.join(kind), &file).expect("a place");
            world.home.write(vacant, "text\n");
            is_counted(&world, &file.display().to_string(), times);
        }
    }
}
