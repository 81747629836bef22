# Four children hand over like runners: each holds 30 MiB for a while, and every start
# overlaps the end of the one before. Shows memory moving from process to process.
use strict;
use warnings;
use Time::HiRes qw(sleep);

my $runners = 4;
my $size    = 30 * 1024 * 1024;

$| = 1;
my @children;
for my $number (1 .. $runners) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        my $load = 'x' x $size;
        sleep 0.6;
        printf "runner %d carried %d MiB\n", $number, length($load) / (1024 * 1024);
        exit 0;
    }
    push @children, $pid;
    sleep 0.35;
}

my $failed = 0;
for my $pid (@children) {
    waitpid $pid, 0;
    $failed++ if $?;
}
print "all runners are home\n" unless $failed;
exit($failed ? 1 : 0);
