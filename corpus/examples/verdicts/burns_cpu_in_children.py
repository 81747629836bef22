# Each of four children stays below the CPU limit, but their sum does not: the time has to
# be counted over the whole tree, with those that have ended. Verdict: time_limit (CPU time).
import os
import time

CHILDREN = 4
SECONDS_EACH = 0.4


def burn(seconds: float) -> None:
    while time.process_time() < seconds:
        pass


def main() -> None:
    for number in range(1, CHILDREN + 1):
        pid = os.fork()
        if pid == 0:
            burn(SECONDS_EACH)
            os._exit(0)
        os.waitpid(pid, 0)
        print(f"child {number} has ended", flush=True)
    print("nobody added it up")


if __name__ == "__main__":
    main()
