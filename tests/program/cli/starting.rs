//! What `serve` says when it starts, and where it serves.

use std::process::Command;

use super::printed;
use crate::support::{
    http::request,
    process::{Process, boltgate, run},
};

/// `boltgate serve --embedded`, in a shell that limits the descriptors first.
fn limited(limit: &str) -> Command {
    let program = boltgate(&[]);
    let mut command = Command::new("sh");
    let serve = format!("ulimit {limit}; exec \"$0\" serve --embedded \"$@\"");
    command.args(["-c", &serve]).arg(program.get_program());
    command
}

#[tokio::test]
async fn serves_every_address_of_a_name() {
    let process = Process::start(boltgate(&["serve", "--embedded", "--listen", "localhost:0"]));
    let line = process.wait_for_line("serving http://localhost:");
    let port: String = line
        .split_once("http://localhost:")
        .map_or("", |(_, rest)| rest)
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    assert_eq!(request(&format!("127.0.0.1:{port}"), "GET", "/", &[], b"").await.status, 200);
    let mut check = boltgate(&["healthcheck"]);
    check.env("BOLTGATE_SERVER__LISTEN", format!("localhost:{port}"));
    let said = printed(&check.output().expect("the program starts"));
    assert_eq!(said, format!("http://localhost:{port}/ answered 200\n"));
}

#[test]
fn warns_when_others_can_reach_a_database_that_checks_no_password() {
    let process = Process::start(boltgate(&["serve", "--embedded", "--listen", "0.0.0.0:0"]));
    let warning = process.wait_for_line("accepts every name and password");
    assert!(warning.contains("WARN") && warning.contains("0.0.0.0:"), "{warning}");
    let local = Process::embedded(&[]);
    local.wait_for_line("reached the database");
    assert!(!local.log().iter().any(|line| line.contains("password")), "{:?}", local.log());
}

#[test]
fn says_that_transactions_of_the_older_api_need_a_number_in_the_gateways_name() {
    const NAME: &str = "BOLTGATE_SERVER__INSTANCE";
    let process = Process::embedded_with(&[(NAME, "gw-a")], &[]);
    let warning = process.wait_for_line("without a number");
    assert!(
        warning.contains("WARN") && warning.contains("gw-a") && warning.contains("http.transactional"),
        "{warning}"
    );
    for settings in [&[(NAME, "gw-0")][..], &[(NAME, "gw-a"), ("BOLTGATE_HTTP__TRANSACTIONAL", "false")]] {
        let silent = Process::embedded_with(settings, &[]);
        silent.wait_for_line("reached the database");
        assert!(!silent.log().iter().any(|line| line.contains("without a number")), "{:?}", silent.log());
    }
}

#[test]
fn names_variables_that_are_no_settings() {
    let process = Process::embedded_with(&[("BOLTGATE_LOGIN", "neo4j:s3cret"), ("BOLTGATE_URL", "http://x")], &[]);
    process.wait_for_line("BOLTGATE_LOGIN is not a setting");
    let log = process.log().concat();
    assert!(!log.contains("BOLTGATE_URL") && !log.contains("s3cret"), "{log}");
}

#[test]
fn raises_the_limit_of_descriptors_or_says_that_they_are_too_few() {
    let few = Process::serve(limited("-n 300"));
    let warning = few.wait_for_line("may open 300 files");
    assert!(warning.contains("WARN") && warning.contains("set server.max_connections = 68"), "{warning}");
    let soft = Process::serve(limited("-Sn 300"));
    let log = soft.log().concat();
    // Where the machine itself allows few, raising is not enough.
    assert!(!log.contains("may open 300 files"), "{log}");
}

#[test]
fn prints_which_values_were_derived() {
    let mut command = boltgate(&["print-config"]);
    command.env("BOLTGATE_DATABASE__MAX_CONNECTIONS", "20");
    let text = printed(&command.output().expect("the program starts"));
    assert!(text.contains("max = 10  # derived from database.max_connections\n"), "{text}");
}

#[test]
fn explains_each_command_with_examples_and_exit_codes() {
    for command in ["serve", "check-config", "print-config", "healthcheck"] {
        let help = printed(&run(&["help", command]));
        assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
        assert_eq!(help, printed(&run(&[command, "--help"])));
    }
}
