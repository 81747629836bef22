# Runs other programs: captures output, feeds a pipe, reads exit codes, stops one that hangs.
import subprocess
import sys

PATIENCE = 0.2  # seconds


def main() -> None:
    listing = subprocess.run(
        ["sort", "-n"], input="30\n4\n200\n", capture_output=True, text=True, check=True
    )
    print("sorted:", listing.stdout.split())

    child = subprocess.run([sys.executable, "-c", "raise SystemExit(7)"])
    print("exit code of the child:", child.returncode)

    try:
        subprocess.run(["sleep", "30"], timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        print(f"gave up on {error.cmd[0]} after {PATIENCE} s")

    with subprocess.Popen(["seq", "5"], stdout=subprocess.PIPE) as producer:
        total = subprocess.run(
            ["awk", "{ sum += $1 } END { print sum }"],
            stdin=producer.stdout, capture_output=True, text=True, check=True,
        )
    print("sum through a pipe:", total.stdout.strip())


if __name__ == "__main__":
    main()
