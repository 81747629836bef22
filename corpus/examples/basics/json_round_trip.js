// Parses a JSON document, regroups it and checks that it survives the way out and in again.
'use strict';
const assert = require('node:assert');

const input = `[
  {"city": "Oslo",   "country": "NO", "people": 709000},
  {"city": "Bergen", "country": "NO", "people": 289000},
  {"city": "Porto",  "country": "PT", "people": 232000},
  {"city": "Lisboa", "country": "PT", "people": 546000},
  {"city": "Gdańsk", "country": "PL", "people": 487000}
]`;

const byCountry = {};
for (const { city, country, people } of JSON.parse(input)) {
  const entry = (byCountry[country] ??= { people: 0, cities: [] });
  entry.people += people;
  entry.cities.push(city);
}

const output = JSON.stringify(byCountry, null, 2);
assert.deepStrictEqual(JSON.parse(output), byCountry);
console.log(output);
