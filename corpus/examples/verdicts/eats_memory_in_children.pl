# Six children hold 60 MiB each: none is over the limit alone, but together they are.
# They end by themselves after 3 s. Verdict: memory_limit (the sum over all processes).
use strict;
use warnings;
use Time::HiRes qw(sleep);

my $children = 6;
my $size     = 60 * 1024 * 1024;

$| = 1;
my @pids;
for my $number (1 .. $children) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        my $hoard = 'x' x $size;
        sleep 3;
        exit(length($hoard) == $size ? 0 : 1);
    }
    print "child $number started\n";
    push @pids, $pid;
    sleep 0.05;
}
waitpid $_, 0 for @pids;
print "nobody added it up\n";
