// Asynchronous tasks on one thread: all at once, a race, and one that fails and is caught.
'use strict';
const { setTimeout: delay } = require('node:timers/promises');

async function task(name, milliseconds) {
  await delay(milliseconds);
  if (name === 'cake') throw new Error('the cake burned');
  return `${name} is ready`;
}

async function main() {
  const kitchen = { soup: 120, bread: 60, cake: 90 };
  const tasks = Object.entries(kitchen).map(([name, time]) => task(name, time));

  console.log('first:', await Promise.any(tasks));
  for (const result of await Promise.allSettled(tasks)) {
    console.log(result.status === 'fulfilled' ? result.value : `failed: ${result.reason.message}`);
  }
}

main();
