-- Builds a long text piece by piece, which leaves every shorter version behind as garbage,
-- and collects it by hand after each round: memory climbs and drops in the shape of a saw.
local ROUNDS <const>, STEPS <const> = 4, 24
local PIECE <const> = ("all work and no play\n"):rep(10000)

collectgarbage("stop") -- nothing is freed until it is asked for

local function mebibytes()
  return collectgarbage("count") / 1024
end

-- Lua has no sleep: the pace comes from waiting for the CPU clock.
local function work(seconds)
  local finish = os.clock() + seconds
  while os.clock() < finish do end
end

for round = 1, ROUNDS do
  local text = ""
  for _ = 1, STEPS do
    text = text .. PIECE
    work(0.01)
  end
  local full = mebibytes()

  text = nil
  collectgarbage("collect")
  print(("round %d: from %.0f MiB down to %.0f"):format(round, full, mebibytes()))
end
