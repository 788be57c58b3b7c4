//! Does one case of the hot code a number of times: `once CASE TIMES`; without arguments it lists
//! the cases. `tests/bench/callgrind` counts what it takes.

use std::process::ExitCode;

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        rplay_bench::CASES
            .iter()
            .for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let times = arguments.next().and_then(|text| text.parse().ok());
    let (Some(work), Some(times)) = (rplay_bench::case(&name), times) else {
        eprintln!("usage: once [CASE TIMES]; without a case it lists them");
        return ExitCode::from(2);
    };
    (0..times).for_each(|_: u32| work());
    ExitCode::SUCCESS
}
