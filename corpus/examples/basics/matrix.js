// Matrix product and determinant, and Fibonacci numbers from powers of a 2x2 matrix.
'use strict';

const multiply = (a, b) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0n)));

const identity = (n) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1n : 0n)));

function power(matrix, exponent) {
  let result = identity(matrix.length);
  for (let base = matrix; exponent > 0; exponent >>= 1, base = multiply(base, base)) {
    if (exponent & 1) result = multiply(result, base);
  }
  return result;
}

// Laplace expansion along the first row: slow in general, fine for a handful of rows.
function determinant(matrix) {
  if (matrix.length === 1) return matrix[0][0];
  return matrix[0].reduce((sum, x, column) => {
    const minor = matrix.slice(1).map((row) => row.filter((_, j) => j !== column));
    const term = x * determinant(minor);
    return column % 2 === 0 ? sum + term : sum - term;
  }, 0n);
}

const a = [[2n, 0n, 1n], [1n, 3n, 2n], [1n, 1n, 4n]];
console.log('a * a =');
for (const row of multiply(a, a)) console.log(row.map((x) => String(x).padStart(4)).join(''));
console.log(`det a = ${determinant(a)}`);
for (const n of [10, 90, 300]) {
  console.log(`fib(${n}) = ${power([[1n, 1n], [1n, 0n]], n)[0][1]}`);
}
