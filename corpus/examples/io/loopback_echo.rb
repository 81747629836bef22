# A TCP server and its client in one script, over the loopback: the one network there is.
require "socket"
require "timeout"

server = TCPServer.new("127.0.0.1", 0)
port = server.addr[1]

answering = Thread.new do
  connection = server.accept
  while (line = connection.gets)
    connection.puts line.chomp.reverse
  end
  connection.close
end

Timeout.timeout(5) do
  TCPSocket.open("127.0.0.1", port) do |client|
    %w[stressed drawer level].each do |word|
      client.puts word
      puts "#{word} -> #{client.gets.chomp}"
    end
    client.close_write
  end
  answering.join
end
puts "server closed"
