-- 5 million updates of a map with 1,000 text keys, which wait in a list.
local function updates(rounds)
  local keys = {}
  for i = 0, 999 do keys[i + 1] = "key" .. i end
  local map = {}
  for _ = 1, rounds do
    for i = 1, #keys do
      local key = keys[i]
      map[key] = (map[key] or 0) + i
    end
  end
  local sum = 0
  for _, value in pairs(map) do sum = sum + value end
  return sum
end

print(string.format("%.0f", updates(5000)))
