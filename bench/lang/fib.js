// fib(32) by recursion: calls, comparisons, additions of ints.
function fib(n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

console.log(String(fib(32)));
