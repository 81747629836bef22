# Memory that rises and falls: two waves of 120 MiB, a small one, and back to the start.
import time

MIB = 1 << 20
STEP = 10 * MIB
PAUSE = 0.035


def wave(height: int) -> None:
    """Takes memory in steps up to `height` bytes and gives it back the same way."""
    blocks: list[bytearray] = []
    for _ in range(height // STEP):
        # Filling a block with a value touches each of its pages: zeros would cost nothing.
        blocks.append(bytearray(b"\x55") * STEP)
        time.sleep(PAUSE)
    print(f"up to {sum(map(len, blocks)) // MIB:3} MiB", flush=True)
    while blocks:
        blocks.pop()
        time.sleep(PAUSE)


def main() -> None:
    for height in (120, 50, 120):
        wave(height * MIB)
    print("all given back")


if __name__ == "__main__":
    main()
