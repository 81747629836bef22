-- A loop that does nothing but count. Ends by itself after 20 s of CPU.
-- Verdict: time_limit (CPU time).
local count = 0
while os.clock() < 20 do
  count = count + 1
end
print("counted to " .. count)
