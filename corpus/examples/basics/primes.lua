-- The sieve of Eratosthenes up to 100 000, with twin primes and the widest gap.
local LIMIT <const> = 100000

local function sieve(limit)
  local composite, primes = {}, {}
  for n = 2, limit do
    if not composite[n] then
      primes[#primes + 1] = n
      for multiple = n * n, limit, n do
        composite[multiple] = true
      end
    end
  end
  return primes
end

local primes = sieve(LIMIT)
local twins, gap, gap_start = 0, 0, nil
for i = 2, #primes do
  local distance = primes[i] - primes[i - 1]
  if distance == 2 then twins = twins + 1 end
  if distance > gap then gap, gap_start = distance, primes[i - 1] end
end

print(("first: %s"):format(table.concat(primes, " ", 1, 15)))
print(("%d primes below %d, the last is %d"):format(#primes, LIMIT, primes[#primes]))
print(("%d twin pairs, widest gap %d after %d"):format(twins, gap, gap_start))
