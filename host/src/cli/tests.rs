//! Parsing, escaping and exit codes.

use clap::{CommandFactory, Parser};

use super::output::escape;
use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

/// Help of a command and of all below it, as on a terminal of 100 columns.
fn help(command: &mut clap::Command, path: &str, text: &mut String) {
    use std::fmt::Write as _;
    writeln!(text, "$ {path} --help\n{}\n", command.render_long_help()).unwrap();
    for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
        let path = format!("{path} {}", below.get_name());
        help(below, &path, text);
    }
}

/// Every word that a person can ask for; the demo's is not there in every build.
#[test]
fn the_help_of_every_command_is_as_it_was_read() {
    let mut root = Cli::command().term_width(100).mut_subcommands(|below| below.term_width(100));
    root.build();
    let top = root.render_long_help().to_string();
    let top: Vec<&str> = top.lines().filter(|line| !line.starts_with("  demo ")).collect();
    insta::assert_snapshot!("tradepost", top.join("\n"));
    for command in root.get_subcommands_mut().filter(|below| !matches!(below.get_name(), "help" | "demo")) {
        let name = command.get_name().to_owned();
        let mut text = String::new();
        help(command, &format!("tradepost {name}"), &mut text);
        assert!(text.len() > 100, "{name} explains itself");
        insta::assert_snapshot!(format!("tradepost-{name}"), text);
    }
}

#[test]
fn completions_know_the_commands() {
    use clap_complete::Shell;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "tradepost", &mut script);
        let script = String::from_utf8(script).unwrap();
        for word in ["platform", "onboard", "attention", "--data", "backup"] {
            assert!(script.contains(word.trim_start_matches("--")), "{shell}: {word}");
        }
    }
}

#[test]
fn command_lines_of_the_documentation_are_understood() {
    for line in [
        "tradepost serve --data d --plugins p --listen 127.0.0.1:0",
        "tradepost --json status",
        "tradepost check",
        "tradepost platform list",
        "tradepost platform add shop org.example.shop --set url=https://shop.example --grant-all",
        "tradepost platform set shop --secret api/token --secret-file api/x=f --private erp.lan,10.0.0.0/8,80 --rate api=2",
        "tradepost platform set erp --files exchange --grant https://erp.example",
        "tradepost platform onboard shop --live --orders-from 2026-05-01",
        "tradepost platform live shop --orders-from 2026-05-01T08:00:00Z",
        "tradepost platform apply shop.toml",
        "tradepost action run shop pull order --wait",
        "tradepost action run shop pull order --since 2026-04-01 --as known",
        "tradepost action run shop --all --no-wait",
        "tradepost action set shop pull order --start manual",
        "tradepost action preview shop push product",
        "tradepost run list shop --limit 5",
        "tradepost run follow 3 --json",
        "tradepost attention answer 3 there --remote-id 7",
        "tradepost record find 10045 --kind order",
        "tradepost record merge 1 2",
        "tradepost plugin rescan",
        "tradepost automatic on",
        "tradepost import a.csv --platform erp",
        "tradepost backup b.db",
        "tradepost restore b.db",
        "tradepost restore --resume",
        "tradepost restore --test-copy",
        "tradepost reload",
        "tradepost completions zsh",
        "tradepost action run shop pull order --since 2026-04-01 --until 2026-05-01 --as done",
    ] {
        if let Err(error) = parse(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn contradictions_are_usage_errors() {
    for line in [
        "tradepost",
        "tradepost automatic maybe",
        "tradepost restore",
        "tradepost restore b.db --resume",
        "tradepost restore --resume --test-copy",
        "tradepost action run shop",
        "tradepost action run shop pull",
        "tradepost action run shop pull orders",
        "tradepost action run shop --all --full",
        "tradepost action run shop pull order --as known",
        "tradepost action run shop pull order --full --since 2026-04-01",
        "tradepost platform onboard shop --orders-from 2026-05-01",
        "tradepost platform live shop --orders-from yesterday",
        "tradepost platform set shop --grant shop.example",
        "tradepost import a.csv",
    ] {
        let error = parse(line).err().unwrap_or_else(|| panic!("{line} was understood"));
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
    }
}

#[test]
fn text_from_outside_moves_no_cursor() {
    for (text, expected) in [
        ("Grüße – 日本", "Grüße – 日本"),
        ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
        ("two\nlines\t\r", "two\\nlines\\t\\r"),
        ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
        ("\u{9b}31m\u{7f}\u{0}", "\\u{9b}31m\\u{7f}\\u{0}"),
        ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
    ] {
        assert_eq!(escape(text), expected);
    }
}

#[test]
fn the_worst_end_counts() {
    assert_eq!(Exit::Done.and(Exit::Issues), Exit::Issues);
    assert_eq!(Exit::Failed.and(Exit::Waits), Exit::Failed);
    assert_eq!(Exit::Issues.and(Exit::Waits), Exit::Waits);
    assert_eq!(Exit::Done.and(Exit::Done).code(), 0);
}

#[test]
fn dates_begin_in_utc() {
    assert_eq!(parse_time("2026-05-01").unwrap().to_string(), "2026-05-01T00:00:00Z");
    assert_eq!(parse_time("2026-05-01T08:00:00+02:00").unwrap().to_string(), "2026-05-01T06:00:00Z");
    assert!(parse_time("yesterday").is_err());
}

#[test]
fn pulls_come_first_and_then_what_others_lean_on() {
    let mut actions: Vec<serde_json::Value> =
        [("push", "product"), ("pull", "order"), ("push", "category"), ("pull", "product")]
            .iter()
            .map(|(direction, kind)| serde_json::json!({"direction": direction, "kind": kind}))
            .collect();
    actions.sort_by_key(action::order);
    let order: Vec<String> =
        actions.iter().map(|a| format!("{} {}", a["direction"], a["kind"]).replace('"', "")).collect();
    assert_eq!(order, ["pull product", "pull order", "push category", "push product"]);
}

#[test]
fn messages_split_into_sentence_and_hint() {
    let failure = Failure::new("it is dark; light a lamp");
    assert_eq!((failure.title.as_str(), failure.hint.as_deref()), ("it is dark", Some("light a lamp")));
}
