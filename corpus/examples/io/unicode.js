// Unicode on the way out: scripts, combining marks, emoji joined from parts, wide and
// right-to-left text, with their length in UTF-16 units, code points and graphemes.
'use strict';

const samples = {
  Greek: 'Καλημέρα κόσμε',
  Russian: 'Съешь ещё этих булок',
  Japanese: 'こんにちは、世界',
  Hebrew: 'שלום עולם',
  Hindi: 'नमस्ते दुनिया',
  combining: 'e\u0301 n\u0303 o\u0308',
  family: '👩‍👩‍👧‍👦',
  flags: '🇳🇴🇯🇵',
  maths: '∀x ∈ ℝ: ⌈x⌉ = −⌊−x⌋',
};

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

for (const [name, text] of Object.entries(samples)) {
  const counts = [text.length, [...text].length, [...graphemes.segment(text)].length];
  const columns = counts.map((n) => String(n).padStart(4)).join('');
  console.log(`${name.padEnd(10)}${columns}  ${text}`);
}

console.log(samples.combining === samples.combining.normalize('NFC') ? 'already composed' : 'composes');
