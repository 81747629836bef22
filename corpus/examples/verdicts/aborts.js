// Gives up with abort() when a check of its own data fails; the signal is SIGABRT.
// Verdict: crashed.
'use strict';

const ledger = [120, -45, 80, -200];
let balance = 0;
for (const entry of ledger) {
  balance += entry;
  console.log(`entry ${entry}, balance ${balance}`);
  if (balance < 0) process.abort();
}
console.log('never reached');
