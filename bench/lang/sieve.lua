-- The sieve of Eratosthenes up to 5 million: how many primes there are.
local function sieve(n)
  local prime = {}
  for i = 1, n do prime[i] = true end
  local count = 0
  for i = 2, n do
    if prime[i] then
      count = count + 1
      for k = i * i, n, i do prime[k] = false end
    end
  end
  return count
end

print(string.format("%.0f", sieve(5000000)))
