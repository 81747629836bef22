# A pool of threads does slow lookups side by side; a lock guards the shared total.
import threading
import time
from concurrent.futures import ThreadPoolExecutor

PRICES = {"apple": 30, "bread": 220, "cheese": 540, "dates": 410, "eggs": 260, "figs": 390}


class Till:
    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        with self._lock:
            self.total += amount


def look_up(name: str, till: Till) -> tuple[str, int]:
    time.sleep(0.1)  # stands for a slow database
    till.add(PRICES[name])
    return name, PRICES[name]


def main() -> None:
    till = Till()
    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=len(PRICES)) as pool:
        for name, price in pool.map(lambda name: look_up(name, till), PRICES):
            print(f"{name:8} {price:4}")
    took = time.monotonic() - began

    assert till.total == sum(PRICES.values())
    print(f"total    {till.total:4}")
    print("side by side" if took < 0.1 * len(PRICES) else "one after the other")


if __name__ == "__main__":
    main()
