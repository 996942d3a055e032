//! The figures of bench/runtime on Tokio. Each runs in a task of its own, on a worker.
use runtime::{per_op, take, Args};
use std::future::{ready, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, Notify};
use tokio::task::yield_now;
use tokio::time::{sleep, Sleep};

async fn spawn_batch() -> f64 {
    const N: usize = 1_000_000;
    let begin = Instant::now();
    let tasks: Vec<_> = (0..N).map(|_| tokio::spawn(async {})).collect();
    for task in tasks {
        task.await.unwrap();
    }
    per_op(N, begin)
}

async fn spawn_turn() -> f64 {
    const N: usize = 1_000_000;
    let begin = Instant::now();
    for _ in 0..N {
        tokio::spawn(async {}).await.unwrap();
    }
    per_op(N, begin)
}

async fn yields() -> f64 {
    const N: usize = 2_000_000;
    let begin = Instant::now();
    let both = [0, 1].map(|_| {
        tokio::spawn(async {
            for _ in 0..N / 2 {
                yield_now().await;
            }
        })
    });
    for task in both {
        task.await.unwrap();
    }
    per_op(N, begin)
}

async fn pass_on(mut from: mpsc::Receiver<u64>, to: mpsc::Sender<u64>) {
    while let Some(x) = from.recv().await {
        to.send(x).await.unwrap();
    }
}

/// The smallest channel of Tokio holds one element.
async fn ping_pong() -> f64 {
    const N: usize = 1_000_000;
    let (there, from) = mpsc::channel(1);
    let (to, mut back) = mpsc::channel(1);
    tokio::spawn(pass_on(from, to));
    let begin = Instant::now();
    for i in 0..N as u64 {
        there.send(i).await.unwrap();
        assert_eq!(back.recv().await, Some(i));
    }
    per_op(N, begin)
}

async fn ring() -> f64 {
    const MEMBERS: usize = 1000;
    const ROUNDS: usize = 500;
    let (first, mut from) = mpsc::channel(1);
    for _ in 1..MEMBERS {
        let (to, next) = mpsc::channel(1);
        tokio::spawn(pass_on(from, to));
        from = next;
    }
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        first.send(0).await.unwrap();
        from.recv().await.unwrap();
    }
    per_op(MEMBERS * ROUNDS, begin)
}

async fn producers() -> f64 {
    const N: u64 = 4_000_000;
    const MANY: u64 = 4;
    let (to, mut from) = mpsc::channel(128);
    for _ in 0..MANY {
        let to = to.clone();
        tokio::spawn(async move {
            for i in 0..N / MANY {
                to.send(i).await.unwrap();
            }
        });
    }
    drop(to);
    let mut sum = 0;
    let begin = Instant::now();
    while let Some(x) = from.recv().await {
        sum += x;
    }
    let took = per_op(N as usize, begin);
    assert_eq!(sum, N / MANY * (N / MANY - 1) / 2 * MANY);
    took
}

async fn select() -> f64 {
    const N: u64 = 1_000_000;
    let mut to = Vec::new();
    let mut channel = || {
        let (sender, receiver) = mpsc::channel(1);
        to.push(sender);
        receiver
    };
    let (mut c0, mut c1, mut c2, mut c3) = (channel(), channel(), channel(), channel());
    let (mut c4, mut c5, mut c6, mut c7) = (channel(), channel(), channel(), channel());
    tokio::spawn(async move {
        for i in 0..N {
            to[i as usize % 8].send(i).await.unwrap();
        }
    });
    let (mut sum, mut left) = (0, N);
    let begin = Instant::now();
    while left > 0 {
        let x = tokio::select! {
            Some(x) = c0.recv() => x,
            Some(x) = c1.recv() => x,
            Some(x) = c2.recv() => x,
            Some(x) = c3.recv() => x,
            Some(x) = c4.recv() => x,
            Some(x) = c5.recv() => x,
            Some(x) = c6.recv() => x,
            Some(x) = c7.recv() => x,
        };
        sum += x;
        left -= 1;
    }
    let took = per_op(N as usize, begin);
    assert_eq!(sum, N * (N - 1) / 2);
    took
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The sum of the numbers of the leaves below.
fn skynet_node(num: u64, size: u64) -> Boxed<u64> {
    Box::pin(async move {
        if size == 1 {
            return num;
        }
        let below = size / 10;
        let children: Vec<_> =
            (0..10).map(|i| tokio::spawn(skynet_node(num + i * below, below))).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap();
        }
        sum
    })
}

async fn skynet() -> f64 {
    const LEAVES: u64 = 1_000_000;
    const NODES: usize = 1_111_111;
    let begin = Instant::now();
    let sum = tokio::spawn(skynet_node(0, LEAVES)).await.unwrap();
    let took = per_op(NODES, begin);
    assert_eq!(sum, LEAVES * (LEAVES - 1) / 2);
    took
}

fn fib(n: u64) -> Boxed<u64> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let one = tokio::spawn(fib(n - 1));
        let two = fib(n - 2).await;
        one.await.unwrap() + two
    })
}

/// One fork and its join: fib(30) has 1,346,268 of them.
async fn forks() -> f64 {
    let begin = Instant::now();
    let sum = fib(30).await;
    let took = per_op(1_346_268, begin);
    assert_eq!(sum, 832_040);
    took
}

const TIMERS: usize = 100_000;

/// A timer that is set: a sleep registers itself when it is polled first.
async fn armed(ms: usize) -> Pin<Box<Sleep>> {
    let mut timer = Box::pin(sleep(Duration::from_millis(ms as u64)));
    tokio::select! {
        biased;
        _ = &mut timer => panic!("too early"),
        _ = ready(()) => {}
    }
    timer
}

/// Due in 1 … 60 s, so none fires meanwhile.
async fn set_and_cancel() -> (f64, f64) {
    let mut timers = Vec::with_capacity(TIMERS);
    let begin = Instant::now();
    for i in 0..TIMERS {
        timers.push(armed(1000 + i * 7919 % 59000).await);
    }
    let set = per_op(TIMERS, begin);
    let begin = Instant::now();
    drop(timers);
    (set, per_op(TIMERS, begin))
}

fn cpu_ns() -> i64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

/// The processor's time for each of many tasks that sleep for at most 50 ms.
async fn timer_fire() -> f64 {
    let begin = cpu_ns();
    let tasks: Vec<_> = (0..TIMERS)
        .map(|i| tokio::spawn(sleep(Duration::from_millis(1 + i as u64 * 7919 % 50))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (cpu_ns() - begin) as f64 / TIMERS as f64
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// What becomes resident for each task that waits.
async fn parked() -> f64 {
    const N: usize = 100_000;
    let wait = Arc::new(Notify::new());
    let mut tasks = Vec::with_capacity(N);
    let before = resident();
    for _ in 0..N {
        let wait = wait.clone();
        tasks.push(tokio::spawn(async move { wait.notified().await }));
    }
    sleep(Duration::from_millis(200)).await;
    let after = resident();
    wait.notify_waiters();
    for task in tasks {
        task.await.unwrap();
    }
    // The handles are memory as well, but not of the tasks.
    (after - before) as f64 / N as f64 - std::mem::size_of::<tokio::task::JoinHandle<()>>() as f64
}

/// Runs it on a worker; block_on() alone would stay on this thread.
fn on_worker<F>(rt: &Runtime, figure: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    rt.block_on(async { tokio::spawn(figure).await.unwrap() })
}

fn main() {
    let args = Args::parse();
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers)
        .enable_time()
        .build()
        .expect("threads");
    println!("peer tokio {},rustc-{}", env!("VERSION_TOKIO"), env!("VERSION_RUSTC"));
    if args.wants("parked_task") {
        println!("parked_task {:.2}", on_worker(&rt, parked()));
    }
    take(&args, "spawn_batch", || on_worker(&rt, spawn_batch()));
    take(&args, "spawn_turn", || on_worker(&rt, spawn_turn()));
    take(&args, "ping_pong", || on_worker(&rt, ping_pong()));
    take(&args, "yield", || on_worker(&rt, yields()));
    take(&args, "ring", || on_worker(&rt, ring()));
    take(&args, "skynet", || on_worker(&rt, skynet()));
    take(&args, "producers", || on_worker(&rt, producers()));
    take(&args, "select", || on_worker(&rt, select()));
    take(&args, "timer_set", || on_worker(&rt, set_and_cancel()).0);
    take(&args, "timer_cancel", || on_worker(&rt, set_and_cancel()).1);
    take(&args, "timer_fire", || on_worker(&rt, timer_fire()));
    take(&args, "fib", || on_worker(&rt, forks()));
}
