// 100 million additions in a loop.
function total(n) {
  let sum = 0;
  for (let i = 1; i <= n; i++) sum += i;
  return sum;
}

console.log(String(total(100000000)));
