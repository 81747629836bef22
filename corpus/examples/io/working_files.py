# Writes, renames, reads and removes files in the working directory and the temp directory.
import os
import tempfile
from pathlib import Path


def main() -> None:
    here = Path.cwd()
    print("at the start:", sorted(entry.name for entry in here.iterdir()) or "empty")

    notes = here / "notes"
    notes.mkdir()
    for number in range(1, 4):
        (notes / f"note-{number}.txt").write_text(f"note {number}\n" * number, encoding="utf-8")

    # The careful way to replace a file: write a new one beside it, then rename.
    draft = notes / "note-2.txt.new"
    draft.write_text("better\n", encoding="utf-8")
    draft.replace(notes / "note-2.txt")
    os.symlink("note-2.txt", notes / "latest")

    for entry in sorted(notes.iterdir()):
        kind = "link" if entry.is_symlink() else "file"
        print(f"{kind} {entry.relative_to(here)}: {entry.stat().st_size} bytes")

    with tempfile.TemporaryDirectory() as scratch:
        block = Path(scratch) / "block.bin"
        block.write_bytes(os.urandom(1 << 20))
        print(f"wrote {block.stat().st_size >> 10} KiB to the temp directory")
    print("scratch removed:", not os.path.exists(scratch))


if __name__ == "__main__":
    main()
