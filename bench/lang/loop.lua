-- 100 million additions in a loop.
local function total(n)
  local sum = 0
  for i = 1, n do sum = sum + i end
  return sum
end

print(string.format("%.0f", total(100000000)))
