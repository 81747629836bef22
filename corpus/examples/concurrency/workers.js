// Splits a sum over worker threads, each of which runs this same file again.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const WORKERS = 3;
const LIMIT = 3_000_000;

function sumOfSquares({ from, to }) {
  let sum = 0n;
  for (let n = from; n < to; n += 1) sum += BigInt(n * n);
  return sum;
}

function start(range) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: range });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function main() {
  const width = LIMIT / WORKERS;
  const ranges = Array.from({ length: WORKERS }, (_, i) => ({
    from: i * width,
    to: (i + 1) * width,
  }));
  const sums = await Promise.all(ranges.map(start));
  sums.forEach((sum, i) => console.log(`worker ${i}: ${sum}`));

  const total = sums.reduce((a, b) => a + b);
  const n = BigInt(LIMIT - 1);
  const expected = (n * (n + 1n) * (2n * n + 1n)) / 6n;
  console.log(`total: ${total} (${total === expected ? 'right' : 'wrong'})`);
  if (total !== expected) process.exitCode = 1;
}

if (isMainThread) {
  main();
} else {
  parentPort.postMessage(sumOfSquares(workerData));
}
