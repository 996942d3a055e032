-- fib(32) by recursion: calls, comparisons, additions of ints.
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

print(string.format("%.0f", fib(32)))
