# Takes memory in steps of 16 MiB and touches it, as a leak would. Stops by itself at 1 GiB.
# Verdict: memory_limit.
import time

MIB = 1 << 20
STEP = 16 * MIB
BOUND = 1024 * MIB


def main() -> None:
    hoard: list[bytearray] = []
    while (held := len(hoard) * STEP) < BOUND:
        if held % (64 * MIB) == 0:
            print(f"holding {held // MIB} MiB", flush=True)
        hoard.append(bytearray(b"\xaa") * STEP)
        time.sleep(0.01)
    print("nobody stopped me")


if __name__ == "__main__":
    main()
