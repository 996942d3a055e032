//! Fork-join on Rayon, as bench/runtime does it.
use runtime::{per_op, take, Args};
use std::time::Instant;

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (one, two) = rayon::join(|| fib(n - 1), || fib(n - 2));
    one + two
}

/// One fork and its join: fib(30) has 1,346,268 of them.
fn forks() -> f64 {
    let begin = Instant::now();
    let sum = fib(30);
    let took = per_op(1_346_268, begin);
    assert_eq!(sum, 832_040);
    took
}

const SORT_LEN: usize = 10_000_000;
const SEQUENTIAL: usize = 8192; // elements that are not worth a fork
const INSERTION: usize = 32;

fn insertion_sort(a: &mut [i32]) {
    for i in 1..a.len() {
        let (x, mut at) = (a[i], i);
        while at > 0 && x < a[at - 1] {
            a[at] = a[at - 1];
            at -= 1;
        }
        a[at] = x;
    }
}

/// Without a branch on what is less, which would be predicted wrong half the time.
fn merge(out: &mut [i32], a: &[i32], b: &[i32]) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let second = b[j] < a[i];
        out[i + j] = if second { b[j] } else { a[i] };
        i += usize::from(!second);
        j += usize::from(second);
    }
    let rest = a.len() + j;
    out[i + j..rest].copy_from_slice(&a[i..]);
    out[rest..].copy_from_slice(&b[j..]);
}

/// Sorts a; other holds the same elements and is overwritten.
fn sort_into(a: &mut [i32], other: &mut [i32]) {
    if a.len() <= INSERTION {
        return insertion_sort(a);
    }
    let half = a.len() / 2;
    let (a1, a2) = a.split_at_mut(half);
    let (other1, other2) = other.split_at_mut(half);
    if a1.len() + a2.len() <= SEQUENTIAL {
        sort_into(other1, a1);
        sort_into(other2, a2);
    } else {
        rayon::join(|| sort_into(other1, a1), || sort_into(other2, a2));
    }
    merge(a, other1, other2);
}

fn merge_sort(a: &mut Vec<i32>, other: &mut Vec<i32>) -> f64 {
    let mut x = 1u32;
    a.clear();
    a.extend((0..SORT_LEN).map(|_| {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x as i32
    }));
    other.clone_from(a);
    let begin = Instant::now();
    sort_into(a, other);
    let took = per_op(SORT_LEN, begin);
    assert!(a.windows(2).all(|w| w[0] <= w[1]));
    took
}

fn main() {
    let args = Args::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.workers).build().expect("threads");
    let (mut a, mut other) = (Vec::new(), Vec::new());
    println!("peer rayon {},rustc-{}", env!("VERSION_RAYON"), env!("VERSION_RUSTC"));
    pool.install(|| {
        take(&args, "fib", forks);
        take(&args, "merge_sort", || merge_sort(&mut a, &mut other));
    });
}
