# Writes a file in the working directory until there is no room left, and lets the error
# (ENOSPC) end it. Stops by itself at 256 MiB. Verdict: disk_limit.
MIB = 1 << 20
BOUND = 256 * MIB


def main() -> None:
    block = b"all work and no play makes a full disk\n" * 27_000
    written = 0
    # No buffer, so that the error comes from the write that did not fit.
    with open("diary.txt", "wb", buffering=0) as diary:
        while written < BOUND:
            written += diary.write(block)
            print(f"{written / MIB:6.1f} MiB", flush=True)
    print("nobody stopped me")


if __name__ == "__main__":
    main()
