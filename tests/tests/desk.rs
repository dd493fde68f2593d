//! Scripts that somebody at a desk runs against a box.

use std::os::unix::fs::PermissionsExt;

use chronus_tests::build::project;
use chronus_tests::engine::Folder;
use chronus_tests::script::{command, told};

#[test]
fn an_image_is_not_forgotten_and_that_is_said() {
    let output = command(project().join("scripts/try-in-vm")).arg("--anew").env("IMAGE", "/dev/null").output().unwrap();
    assert!(output.status.code() == Some(2) && told(&output).contains("--anew"), "{}", told(&output));
}

#[test]
fn sound_does_not_go_into_a_folder_and_that_is_said() {
    let output = command(project().join("scripts/try-in-vm")).args(["--wav", "/"]).output().unwrap();
    assert!(output.status.code() == Some(2) && told(&output).contains("/ is a folder"), "{}", told(&output));
}

#[test]
fn a_comma_in_the_name_of_an_image_does_not_end_it() {
    let folder = Folder::new("comma");
    // Says what it was started with.
    let machine = folder.file("qemu-system-aarch64");
    std::fs::write(&machine, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    std::fs::set_permissions(&machine, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.file("cmdline"), "quiet").unwrap();
    let path = format!("{}:{}", folder.file(".").display(), std::env::var("PATH").unwrap());
    let mut start = command(project().join("tests/box/run-box"));
    start.arg(folder.file(".")).arg("/card,2/my,box.img").arg(folder.file(".")).env("PATH", path);
    let output = start.output().unwrap();
    let said = told(&output);
    assert!(said.contains("file=/card,,2/my,,box.img,snapshot=off"), "{said}");
}

#[test]
fn a_lost_answer_of_the_box_is_no_end_of_the_measurement_and_many_in_a_row_are() {
    let folder = Folder::new("measure");
    // Answers as the next line of a file says.
    let (program, answers) = (folder.file("chronus"), folder.file("answers"));
    let text = "#!/bin/sh\nfile=${0%/*}/answers\nanswer=$(head -n 1 \"$file\")\nsed -i 1d \"$file\"\n\
                [ \"$answer\" != lost ] || { echo no answer; exit 1; }\necho \"$1 $2 $3: $answer\"\n";
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let asked = |answers_are: &str| {
        std::fs::write(&answers, answers_are.replace(' ', "\n") + "\n").unwrap();
        let piece = format!(
            "set -euo pipefail; status=; . scripts/lib/message.sh; . scripts/lib/status.sh
             for turn in $(seq {}); do ask '{}' box:5005 || echo missed; echo \"$status\"; done",
            answers_are.split(' ').count(),
            program.display()
        );
        let output = command("bash").current_dir(project()).args(["-c", &piece]).output().unwrap();
        (output.status.success(), told(&output))
    };
    let (went_on, said) = asked("1 lost lost 2 lost lost lost lost 3");
    assert!(went_on, "{said}");
    let of = |number| format!("status box:5005 --all: {number}");
    let lines: Vec<_> = said.lines().filter(|line| *line != "missed").collect();
    let expected: Vec<_> = [1, 1, 1, 2, 2, 2, 2, 2, 3].map(of).into();
    assert_eq!((lines, said.matches("missed").count()), (expected.iter().map(String::as_str).collect(), 6));
    let (went_on, said) = asked("1 lost lost lost lost lost 2");
    assert!(!went_on && said.contains("asked 5 times in a row") && !said.contains(&of(2)), "{said}");
}
