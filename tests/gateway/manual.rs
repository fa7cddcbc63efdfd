//! Completions, manual pages and exit codes.

use std::process::{Command, Output};

use keygate_tests::build::output_with_input;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_shell_is_told_commands_and_flags needs "own-gateway";
    a_manual_page_has_flags_and_exit_codes needs "own-gateway";
    a_command_that_is_not_there_is_an_error_of_usage needs "own-gateway";
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn a_shell_is_told_commands_and_flags(target: &Target) {
    let build = target.build();
    for (shell, starts) in [
        ("bash", "_keygate() {"),
        ("zsh", "#compdef keygate"),
        ("fish", "# Print an optspec"),
    ] {
        let script = text(&build.run(&["completions", shell], &[]));
        assert!(script.starts_with(starts), "{script}");
        for word in ["access-log", "why", "rotate"] {
            assert!(script.contains(word), "{shell} is not told {word}");
        }
    }
    // The one shell that every machine has takes its script.
    let script = text(&build.run(&["completions", "bash"], &[]));
    let ask =
        "COMP_WORDS=(keygate w); COMP_CWORD=1; _keygate keygate w keygate; echo ${COMPREPLY[*]}";
    let mut bash = Command::new("bash");
    let output = output_with_input(&mut bash, &format!("{script}\n{ask}\n"));
    assert_eq!(text(&output).trim(), "why", "{output:?}");
}

fn a_manual_page_has_flags_and_exit_codes(target: &Target) {
    let build = target.build();
    let page = text(&build.run(&["man"], &[]));
    assert!(page.contains(".TH keygate 1"), "{page}");
    for words in ["\\-\\-access\\-log", "Exit codes:", "a second Ctrl\\-C"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = text(&build.run(&["man", "keys", "rotate"], &[]));
    assert!(
        page.contains("\\-\\-grace") && page.contains("keygate\\-keys\\-rotate"),
        "{page}"
    );
    let help = text(&build.run(&["--help"], &[]));
    assert!(
        help.contains("64   the command line, or the template, cannot be right"),
        "{help}"
    );
}

fn a_command_that_is_not_there_is_an_error_of_usage(target: &Target) {
    for (arguments, words) in [
        (&["man", "frobnicate"][..], "no command frobnicate"),
        (&["completions", "frobnicate"], "frobnicate"),
    ] {
        let output = target.build().run(arguments, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{error}");
        assert!(error.contains(words), "{error}");
    }
}
