<?php
// Complains on standard error without end, with nothing on standard output. Stops by itself
// at 64 MiB. Verdict: output_limit (standard error has a limit of its own).
declare(strict_types=1);

const BOUND = 64 * 1024 * 1024;

$warning = str_repeat('warning: this value is deprecated; ', 30) . "\n";
for ($written = 0; $written < BOUND; $written += strlen($warning)) {
    fwrite(STDERR, $warning);
}
