# Recursion with a memo, and the same numbers again from a lazy enumerator.
memo = Hash.new { |cache, n| cache[n] = n < 2 ? n : cache[n - 1] + cache[n - 2] }

series = Enumerator.new do |out|
  a, b = 0, 1
  loop do
    out << a
    a, b = b, a + b
  end
end

puts "first 15: #{series.take(15).join(' ')}"
puts "fib(90) = #{memo[90]}"

even = series.lazy.select(&:even?).first(6)
puts "first even ones: #{even.join(', ')}"

abort "the two ways disagree" unless series.take(91).last == memo[90]
