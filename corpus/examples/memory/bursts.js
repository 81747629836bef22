// Bursts of work and pauses in turn, each burst shorter than the last: a sawtooth of CPU use.
'use strict';
const { createHash } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');

const BURSTS = [320, 240, 160, 80]; // milliseconds of work
const PAUSE = 250;

function workFor(milliseconds) {
  const end = performance.now() + milliseconds;
  let digest = 'seed';
  let rounds = 0;
  while (performance.now() < end) {
    digest = createHash('sha256').update(digest).digest('hex');
    rounds += 1;
  }
  return rounds;
}

async function main() {
  for (const [index, milliseconds] of BURSTS.entries()) {
    const rounds = workFor(milliseconds);
    console.log(`burst ${index + 1}: ${milliseconds} ms, ${rounds > 0 ? 'worked' : 'idle'}`);
    await sleep(PAUSE);
  }
}

main();
