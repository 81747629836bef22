<?php
// Starts three programs at once with proc_open and reads their pipes as they become ready.
declare(strict_types=1);

$commands = [
    'tortoise' => ['sh', '-c', 'sleep 0.3; echo slow but here'],
    'hare'     => ['sh', '-c', 'echo here at once'],
    'grumpy'   => ['sh', '-c', 'sleep 0.1; echo no; exit 4'],
];

$processes = $pipes = [];
foreach ($commands as $name => $command) {
    $processes[$name] = proc_open($command, [1 => ['pipe', 'w']], $ends);
    $pipes[$name] = $ends[1];
}

while ($pipes) {
    $ready = $pipes;
    $write = $except = null;
    stream_select($ready, $write, $except, 5);
    foreach ($ready as $name => $pipe) {
        $line = fgets($pipe);
        if ($line !== false) {
            printf("%-8s says: %s", $name, $line);
            continue;
        }
        fclose($pipe);
        unset($pipes[$name]);
        printf("%-8s exit code %d\n", $name, proc_close($processes[$name]));
    }
}
