# Forks one child for each slice of work; every child answers through its own pipe.
use strict;
use warnings;

my @slices = ([1, 250_000], [250_001, 500_000], [500_001, 750_000], [750_001, 1_000_000]);
my @children;

for my $slice (@slices) {
    my ($from, $to) = @$slice;
    pipe(my $reader, my $writer) or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        close $reader;
        my $sum = 0;
        $sum += $_ for $from .. $to;
        print {$writer} "$sum\n";
        close $writer or die "close: $!";
        exit 0;
    }
    close $writer;
    push @children, { pid => $pid, reader => $reader, from => $from, to => $to };
}

my $total = 0;
for my $child (@children) {
    chomp(my $sum = readline $child->{reader});
    waitpid $child->{pid}, 0;
    die "a child failed with status $?" if $?;
    printf "%7d to %7d: %d\n", $child->{from}, $child->{to}, $sum;
    $total += $sum;
}
print "total: $total\n";
