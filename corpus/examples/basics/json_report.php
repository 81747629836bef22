<?php
// Reads a JSON stock list, works out what to reorder and prints the order as JSON.
declare(strict_types=1);

const STOCK = <<<'JSON'
{
  "updated": "2024-05-17",
  "items": [
    {"name": "paper",    "have": 40, "want": 100, "price": 3.5},
    {"name": "envelope", "have": 90, "want": 60,  "price": 0.2},
    {"name": "crayons",  "have": 2,  "want": 25,  "price": 1.25},
    {"name": "glue",     "have": 11, "want": 12,  "price": 2.1}
  ]
}
JSON;

$stock = json_decode(STOCK, associative: true, flags: JSON_THROW_ON_ERROR);

$order = [];
foreach ($stock['items'] as $item) {
    $missing = max(0, $item['want'] - $item['have']);
    if ($missing > 0) {
        $cost = round($missing * $item['price'], 2);
        $order[] = ['name' => $item['name'], 'count' => $missing, 'cost' => $cost];
    }
}
usort($order, fn (array $a, array $b): int => $b['cost'] <=> $a['cost']);

$total = array_sum(array_column($order, 'cost'));
echo json_encode(
    ['date' => $stock['updated'], 'order' => $order, 'total' => $total],
    JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR
), PHP_EOL;
