-- binary-trees of the Benchmarks Game with n = 16: a stretch tree of depth 17, a tree of depth 16 that
-- lives long, and 2^(20 - d) trees of each depth d = 4, 6 … 16; every tree is built and its nodes counted.
local function build(depth)
  if depth == 0 then return {} end
  return { build(depth - 1), build(depth - 1) }
end

local function count(tree)
  if tree[1] then return 1 + count(tree[1]) + count(tree[2]) end
  return 1
end

local function run(n)
  local sum = count(build(n + 1))
  local long = build(n)
  for depth = 4, n, 2 do
    local trees = math.floor(2 ^ (n - depth + 4))
    for _ = 1, trees do sum = sum + count(build(depth)) end
  end
  return sum + count(long)
end

print(string.format("%.0f", run(16)))
