# Kills itself with SIGSEGV in the middle of its work, as a bug in a native library would.
# Verdict: crashed.
use strict;
use warnings;

$| = 1;
for my $record (1 .. 5) {
    print "record $record\n";
    kill SEGV => $$ if $record == 3;
}
print "never reached\n";
