// 5 million updates of a map with 1,000 text keys, which wait in a list.
function updates(rounds) {
  const keys = [];
  for (let i = 0; i < 1000; i++) keys.push("key" + i);
  const map = new Map();
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      map.set(key, (map.get(key) ?? 0) + i + 1);
    }
  let sum = 0;
  for (const value of map.values()) sum += value;
  return sum;
}

console.log(String(updates(5000)));
