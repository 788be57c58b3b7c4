use std::time::Instant;

use rustix::process::{Pid, Signal};

use super::running::MAX_GRACE;
use super::*;

fn sh(script: &str) -> Command {
    Command::changes(["sh", "-c", script])
}

fn done(command: &Command) -> Output {
    run(command, &Control::default()).unwrap()
}

fn refused(command: &Command) -> Failure {
    run(command, &Control::default()).unwrap_err()
}

#[test]
fn both_outputs_and_the_code_come_back() {
    let output = done(&sh("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (output.rc, output.stdout(), output.stderr()),
        (3, "out\n".to_owned(), "err\n".to_owned())
    );
}

#[test]
fn much_output_on_both_sides_does_not_lock_up() {
    let output = done(&sh(
        "head -c 9000000 /dev/zero >&2; head -c 9000000 /dev/zero",
    ));
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (9_000_000, 9_000_000)
    );
}

#[test]
fn much_input_flows_while_output_does() {
    let mut command = Command::changes(["cat"]);
    command.stdin = Stdin::Bytes(vec![7; 5_000_000]);
    assert_eq!(done(&command).stdout, vec![7; 5_000_000]);
}

#[test]
fn input_that_is_not_wanted_is_no_error() {
    let mut command = sh("exit 4");
    command.stdin = Stdin::Bytes(vec![7; 5_000_000]);
    assert_eq!(done(&command).rc, 4);
}

#[test]
fn output_beyond_what_can_be_sent_fails_and_says_so() {
    let failure = refused(&sh("head -c 40000000 /dev/zero; exit 5"));
    assert!(
        failure.msg.ends_with("wrote more than 32 MiB"),
        "{failure:?}"
    );
    assert_eq!(failure.data["rc"], 5);
}

#[test]
fn a_signal_is_a_negative_code() {
    assert_eq!(done(&sh("kill -TERM $$")).rc, -15);
}

#[test]
fn a_child_in_the_background_does_not_hold_it_up_and_lives_on() {
    let start = Instant::now();
    let output = done(&sh("sleep 30 & echo $!"));
    assert!(start.elapsed() < Duration::from_secs(10));
    let left = Pid::from_raw(output.stdout().trim().parse().unwrap()).unwrap();
    assert!(
        rustix::process::test_kill_process(left).is_ok(),
        "it was killed"
    );
    rustix::process::kill_process(left, Signal::KILL).unwrap();
}

#[test]
fn a_noisy_child_in_the_background_does_not_hold_it_up() {
    let start = Instant::now();
    let script = "{ while echo noise; do sleep 0.05; done; } 2>/dev/null & echo first";
    let output = done(&sh(script));
    assert_eq!(output.rc, 0);
    assert!(output.stdout().contains("first"));
    assert!(start.elapsed() < MAX_GRACE + Duration::from_secs(5));
}

/// A shell whose child would leave a mark after a second and a half, and which itself sleeps on.
fn family(mark: &Path) -> Command {
    sh(&format!(
        "echo begun; (sleep 1.5; echo late > {}) & sleep 60",
        mark.display()
    ))
}

#[test]
fn a_timeout_kills_the_whole_group() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let mut command = family(&mark);
    command.timeout = Some(Duration::from_millis(400));
    let failure = refused(&command);
    let end = "did not end within 0.4 seconds and was killed";
    assert!(failure.msg.ends_with(end), "{failure}");
    assert_eq!(failure.data["stdout"], "begun\n");
    std::thread::sleep(Duration::from_secs(2));
    assert!(!mark.exists(), "a grandchild lived on");
}

#[test]
fn cancelling_kills_grandchildren() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let control = Control::default();
    let canceller = control.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        canceller.cancel();
    });
    let start = Instant::now();
    let failure = run(&family(&mark), &control).unwrap_err();
    thread.join().unwrap();
    assert!(failure.msg.ends_with("was cancelled"), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(5));
    std::thread::sleep(Duration::from_secs(2));
    assert!(!mark.exists(), "a grandchild lived on");
}

#[test]
fn a_program_that_is_nowhere_is_named() {
    let failure = refused(&Command::reads(["no-such-program", "x"]));
    assert_eq!(failure.msg, "there is no program `no-such-program`");
    assert_eq!(failure.data["rc"], 2);
}

#[test]
fn a_file_that_is_no_program_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    std::fs::write(&file, "text").unwrap();
    let failure = refused(&Command::reads([file.as_os_str()]));
    let said = format!("could not run `{}`: it is not executable", file.display());
    assert_eq!(failure.msg, said);
}

#[test]
fn a_script_whose_interpreter_is_missing_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    std::fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let failure = refused(&Command::reads([file.as_os_str()]));
    assert!(failure.help[0].contains("its interpreter"), "{failure:?}");
}

#[test]
fn a_missing_working_folder_is_named() {
    let mut command = Command::reads(["true"]);
    command.cwd = Some("/no/such/folder".into());
    assert_eq!(
        refused(&command).msg,
        "could not run `true` in `/no/such/folder`: there is no such folder"
    );
}

#[test]
fn environment_folder_and_umask_reach_the_process() {
    let mut command = sh("umask; pwd; echo $WORD").env("WORD", "a b");
    command.umask = Some(0o027);
    command.cwd = Some("/usr".into());
    assert_eq!(done(&command).stdout(), "0027\n/usr\na b\n");
}
