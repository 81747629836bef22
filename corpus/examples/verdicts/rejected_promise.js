// A promise is rejected and nobody handles it: node prints the error and exits with code 1.
// Verdict: failed.
'use strict';

async function fetchSettings(name) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error(`no settings called "${name}"`);
}

async function main() {
  console.log('loading');
  const settings = await fetchSettings('night-mode');
  console.log('never reached', settings);
}

main();
