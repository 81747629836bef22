# A filter that numbers the lines of its input. With no input it sees the end of file at once.
lines = 0
while (line = $stdin.gets)
  lines += 1
  puts format("%4d  %s", lines, line.chomp)
end

puts lines.zero? ? "no input: nothing to number" : "#{lines} lines"
