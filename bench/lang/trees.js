// binary-trees of the Benchmarks Game with n = 16: a stretch tree of depth 17, a tree of depth 16 that
// lives long, and 2^(20 - d) trees of each depth d = 4, 6 … 16; every tree is built and its nodes counted.
class Node {
  constructor(left, right) {
    this.left = left;
    this.right = right;
  }
}

function build(depth) {
  if (depth === 0) return new Node(null, null);
  return new Node(build(depth - 1), build(depth - 1));
}

function count(tree) {
  if (tree.left !== null) return 1 + count(tree.left) + count(tree.right);
  return 1;
}

function run(n) {
  let sum = count(build(n + 1));
  const long = build(n);
  for (let depth = 4; depth <= n; depth += 2) {
    const trees = 2 ** (n - depth + 4);
    for (let i = 0; i < trees; i++) sum += count(build(depth));
  }
  return sum + count(long);
}

console.log(String(run(16)));
