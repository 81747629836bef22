# Tries to start 200 sleeping children at once, and clears up after itself when it is refused.
# Verdict: ok when the limit on processes holds; it exits with 1 if it got all 200.
import subprocess
import sys

WANTED = 200


def main() -> int:
    children: list[subprocess.Popen[bytes]] = []
    refusal = None
    try:
        while len(children) < WANTED:
            children.append(subprocess.Popen(["sleep", "20"]))
    except BlockingIOError as error:  # EAGAIN: fork was refused
        refusal = error.strerror
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()

    if refusal is None:
        print(f"got all {len(children)} children: nobody stopped me")
        return 1
    print(f"refused after {len(children)} children: {refusal}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
