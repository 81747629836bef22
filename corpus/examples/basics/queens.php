<?php
// Counts all ways to put N queens on a board by backtracking and draws the first for eight.
declare(strict_types=1);

/** Yields every solution as a list with the column of the queen for each row. */
function placements(int $size, array $columns = []): Generator
{
    $row = count($columns);
    if ($row === $size) {
        yield $columns;
        return;
    }
    for ($column = 0; $column < $size; $column++) {
        foreach ($columns as $r => $c) {
            if ($c === $column || abs($c - $column) === $row - $r) {
                continue 2;
            }
        }
        yield from placements($size, [...$columns, $column]);
    }
}

foreach (range(4, 8) as $size) {
    printf("%d queens: %d solutions\n", $size, iterator_count(placements($size)));
}

foreach (placements(8)->current() as $column) {
    echo str_repeat('. ', $column), 'Q ', str_repeat('. ', 7 - $column), "\n";
}
