# Groups words that are anagrams of each other: the sorted letters are the key.
use strict;
use warnings;

my @words = qw(
    listen enlist silent tinsel inlets
    stone notes onset tones
    later alter alert
    cheap peach
    harbour
);

my %groups;
push @{ $groups{ join '', sort split //, $_ } }, $_ for @words;

my @families = sort { @$b <=> @$a || $a->[0] cmp $b->[0] }
    grep { @$_ > 1 } values %groups;

for my $family (@families) {
    printf "%d: %s\n", scalar @$family, join ', ', sort @$family;
}
printf "%d words stand alone\n", scalar grep { @$_ == 1 } values %groups;
