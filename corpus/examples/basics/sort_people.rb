# Sorts records by several keys at once and groups them, with Struct and Enumerable.
Person = Struct.new(:name, :team, :born)

PEOPLE = [
  Person.new("Ines",   "blue", 1984),
  Person.new("Tomas",  "red",  1991),
  Person.new("Aiko",   "blue", 1991),
  Person.new("Ravi",   "red",  1978),
  Person.new("Maren",  "blue", 1978),
  Person.new("Chidi",  "red",  1991)
].freeze

puts "youngest first, then by name:"
PEOPLE.sort_by { |person| [-person.born, person.name] }.each do |person|
  puts format("  %-6s %-5s %d", person.name, person.team, person.born)
end

puts "by team:"
PEOPLE.group_by(&:team).sort.each do |team, members|
  mean = members.sum(&:born).fdiv(members.size)
  puts format("  %-5s %s (mean year %.1f)", team, members.map(&:name).sort.join(", "), mean)
end
