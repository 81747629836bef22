# Counts primes in slices with a pool of worker processes and adds up the answers.
from multiprocessing import Pool

LIMIT, SLICE = 60_000, 10_000


def is_prime(n: int) -> bool:
    if n < 2:
        return False
    divisor = 2
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 1
    return True


def count_primes(start: int) -> tuple[int, int]:
    return start, sum(map(is_prime, range(start, start + SLICE)))


def main() -> None:
    with Pool(processes=3) as pool:
        slices = pool.map(count_primes, range(0, LIMIT, SLICE), chunksize=1)
    for start, count in slices:
        print(f"{start:6} to {start + SLICE - 1:6}: {count:5}")
    print(f"primes below {LIMIT}: {sum(count for _, count in slices)}")


if __name__ == "__main__":
    main()
