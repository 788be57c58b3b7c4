//! Times of the hot code: `cargo bench -p rplay-bench`.

fn main() {
    divan::main();
}

#[divan::bench(args = rplay_bench::CASES.iter().map(|(name, _)| *name))]
fn hot(bencher: divan::Bencher<'_, '_>, name: &str) {
    let work = rplay_bench::case(name).expect("bug: it is one of the cases");
    bencher.bench_local(work);
}
