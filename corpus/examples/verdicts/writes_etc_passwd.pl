# Tries to open /etc/passwd for appending and to create files all over the system.
# Verdict: ok when all is refused; it exits with 1 if any of it worked (and leaves no trace).
use strict;
use warnings;
use Fcntl qw(O_WRONLY O_APPEND O_CREAT O_EXCL);

my $worked = 0;

sub report {
    my ($what, $success) = @_;
    my $outcome = $success ? 'ALLOWED' : "refused ($!)";
    print "$what: $outcome\n";
    $worked++ if $success;
    return $success;
}

# Opening is the test; not a byte is written, so this is safe to run by mistake.
report("append to $_", sysopen(my $file, $_, O_WRONLY | O_APPEND))
    for qw(/etc/passwd /etc/hosts /usr/bin/env /script/main.pl);

for my $directory (qw(/ /etc/ /usr/ /usr/bin/ /script/ /proc/)) {
    my $path = "${directory}sandsweep-was-here";
    if (report("create $path", sysopen(my $file, $path, O_WRONLY | O_CREAT | O_EXCL, 0600))) {
        unlink $path;
    }
}

exit($worked ? 1 : 0);
