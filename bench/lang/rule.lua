-- 10 million events through a rule with hysteresis: 1,000 readings of a temperature, 10,000 times. The
-- rule begins above 80, ends below 70, and counts both.
local function readings()
  local list, x = {}, 42
  for i = 0, 999 do
    x = (x * 3877 + 29573) % 139968
    list[i + 1] = 60 + math.abs(i % 200 - 100) / 5 + 5 * x / 139968
  end
  return list
end

local function on_event(rule, temp)
  if rule.active then
    if temp < 70 then
      rule.active = false
      rule.ends = rule.ends + 1
    end
  elseif temp > 80 then
    rule.active = true
    rule.begins = rule.begins + 1
  end
end

local function run(rounds)
  local list, rule = readings(), { active = false, begins = 0, ends = 0 }
  for _ = 1, rounds do
    for i = 1, #list do on_event(rule, list[i]) end
  end
  return rule.begins + rule.ends
end

print(string.format("%.0f", run(10000)))
