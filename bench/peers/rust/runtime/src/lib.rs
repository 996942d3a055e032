//! What the peers share. They are called as bench/runtime/bench.h says: WORKERS [FIGURE].
use std::time::Instant;

const RUNS: usize = 7;

pub struct Args {
    pub workers: usize,
    pub only: Option<String>,
}

impl Args {
    pub fn parse() -> Args {
        let mut args = std::env::args().skip(1);
        let workers = args.next().map_or(1, |w| w.parse().expect("a number of workers"));
        Args { workers, only: args.next() }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.as_deref().map_or(true, |only| only == name)
    }
}

/// Prints the median of seven runs after one to warm up.
pub fn take(args: &Args, name: &str, mut run: impl FnMut() -> f64) {
    if args.wants(name) {
        run();
        let mut all: Vec<f64> = (0..RUNS).map(|_| run()).collect();
        all.sort_by(f64::total_cmp);
        println!("{} {:.2}", name, all[RUNS / 2]);
    }
}

pub fn per_op(n: usize, begin: Instant) -> f64 {
    begin.elapsed().as_nanos() as f64 / n as f64
}
