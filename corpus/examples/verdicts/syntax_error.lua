-- The "if" is never closed, so Lua refuses the file before it runs a single line.
-- Verdict: failed.
print("never printed")

local function describe(n)
  if n % 2 == 0 then
    return "even"
  return "odd"
end

for n = 1, 3 do
  print(n, describe(n))
end
