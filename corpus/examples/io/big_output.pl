# Writes exactly one mebibyte of numbered lines: a lot, but within the usual limit.
use strict;
use warnings;

my $line_length = 64;
my $lines       = 1024 * 1024 / $line_length;
my @alphabet    = ('a' .. 'z');

for my $number (1 .. $lines) {
    my $head = sprintf '%06d ', $number;
    my $letter = $alphabet[ $number % @alphabet ];
    print $head, $letter x ($line_length - length($head) - 1), "\n";
}
