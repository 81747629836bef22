# Nobody rescues the exception, so Ruby prints a backtrace and exits with code 1.
# Verdict: failed.
class Account
  class Overdrawn < StandardError; end

  attr_reader :balance

  def initialize(balance)
    @balance = balance
  end

  def withdraw(amount)
    raise Overdrawn, "#{amount} asked for, #{balance} there" if amount > balance

    @balance -= amount
  end
end

account = Account.new(100)
[30, 50, 40].each do |amount|
  account.withdraw(amount)
  puts "withdrew #{amount}, #{account.balance} left"
end
