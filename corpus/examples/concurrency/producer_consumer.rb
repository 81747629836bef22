# Producers and consumers on a bounded queue: threads that wait for each other.
QUEUE_LENGTH = 4
ITEMS_EACH = 25

queue = SizedQueue.new(QUEUE_LENGTH)
results = Queue.new

producers = %w[a b].map do |name|
  Thread.new { 1.upto(ITEMS_EACH) { |n| queue << [name, n] } }
end

consumers = Array.new(3) do
  Thread.new do
    # pop gives nil once the queue is closed and empty
    while (item = queue.pop)
      name, number = item
      sleep 0.002
      results << [name, number**2]
    end
  end
end

producers.each(&:join)
queue.close
consumers.each(&:join)

sums = Hash.new(0)
until results.empty?
  name, square = results.pop
  sums[name] += square
end
sums.sort.each { |name, sum| puts "producer #{name}: sum of squares #{sum}" }
