<?php
// Writes a report to standard output and its progress to standard error, in turns.
declare(strict_types=1);

$chapters = ['Departure' => 310, 'The crossing' => 742, 'Landfall' => 95];

$done = 0;
foreach ($chapters as $title => $words) {
    $done++;
    fprintf(STDERR, "[%d/%d] %s\n", $done, count($chapters), $title);
    printf("%-14s %5d words, %4.1f minutes\n", $title, $words, $words / 200);
    usleep(20_000);
}

fwrite(STDERR, "warning: the last chapter is short\n");
printf("%-14s %5d words\n", 'total', array_sum($chapters));
