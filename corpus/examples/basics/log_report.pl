# Takes an access log apart with regular expressions and reports per status and path.
use strict;
use warnings;

my $line_format = qr{
    ^ (?<host> \S+ ) \s
    \[ (?<time> [^\]]+ ) \] \s
    " (?<method> [A-Z]+ ) \s (?<path> \S+ ) "  \s
    (?<status> \d{3} ) \s (?<bytes> \d+ ) $
}x;

my (%by_status, %bytes, $skipped);
while (my $line = <DATA>) {
    chomp $line;
    if ($line =~ $line_format) {
        $by_status{ $+{status} }++;
        $bytes{ $+{path} } += $+{bytes};
    }
    else {
        $skipped++;
    }
}

printf "status %s: %d\n", $_, $by_status{$_} for sort keys %by_status;
printf "%-12s %6d bytes\n", $_, $bytes{$_}
    for sort { $bytes{$b} <=> $bytes{$a} || $a cmp $b } keys %bytes;
printf "%d line(s) not understood\n", $skipped // 0;

__DATA__
10.0.0.4 [03/Mar:10:00:01] "GET /index.html" 200 5120
10.0.0.9 [03/Mar:10:00:02] "GET /logo.png" 200 20480
10.0.0.4 [03/Mar:10:00:02] "POST /login" 302 0
this line was cut off by a full disk
10.0.0.7 [03/Mar:10:00:05] "GET /missing" 404 312
10.0.0.9 [03/Mar:10:00:06] "GET /index.html" 304 0
10.0.0.4 [03/Mar:10:00:09] "GET /logo.png" 200 20480
