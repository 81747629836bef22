# A tree of processes that come and go: workers start one after the other, two of them
# start a helper of their own, and the use of CPU steps up and down for about two seconds.
import multiprocessing
import os
import time

# name: (starts after, works for, helper works for), all in seconds
PLAN = {
    "first": (0.0, 0.7, 0.0),
    "second": (0.4, 0.6, 0.5),
    "third": (0.8, 0.5, 0.0),
    "fourth": (1.3, 0.4, 0.6),
}

# Forked children start at once, where fresh interpreters would blur the steps.
mp = multiprocessing.get_context("fork")


def work(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(n * n for n in range(1000))


def worker(name: str, delay: float, busy: float, helper_busy: float) -> None:
    time.sleep(delay)
    helper = mp.Process(target=work, args=(helper_busy,)) if helper_busy else None
    if helper:
        helper.start()
    work(busy)
    if helper:
        helper.join()
    print(f"{name} worker is done{', and its helper' if helper else ''}", flush=True)


def main() -> None:
    workers = [mp.Process(target=worker, args=(name, *times)) for name, times in PLAN.items()]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
    used = os.times()
    share = used.children_user / (used.user + used.children_user)
    print("the children did", "nearly all of" if share > 0.9 else "only part of", "the work")


if __name__ == "__main__":
    main()
