// 10 million events through a rule with hysteresis: 1,000 readings of a temperature, 10,000 times. The
// rule begins above 80, ends below 70, and counts both.
function readings() {
  const list = [];
  let x = 42;
  for (let i = 0; i < 1000; i++) {
    x = (x * 3877 + 29573) % 139968;
    list.push(60 + Math.abs((i % 200) - 100) / 5 + (5 * x) / 139968);
  }
  return list;
}

function onEvent(rule, temp) {
  if (rule.active) {
    if (temp < 70) {
      rule.active = false;
      rule.ends++;
    }
  } else if (temp > 80) {
    rule.active = true;
    rule.begins++;
  }
}

function run(rounds) {
  const list = readings();
  const rule = { active: false, begins: 0, ends: 0 };
  for (let round = 0; round < rounds; round++)
    for (const temp of list) onEvent(rule, temp);
  return rule.begins + rule.ends;
}

console.log(String(run(10000)));
