# Counts the words of a short text and prints the most frequent ones as a bar chart.
import re
from collections import Counter

TEXT = """
The harbour was quiet before the storm. Two boats rocked at the pier, and the
keeper of the light climbed the stairs, as the keeper before him had climbed
the stairs, counting the steps. At the top the wind was already in the glass,
and the sea below the light had gone the colour of slate.
"""


def main() -> None:
    words = re.findall(r"[a-z']+", TEXT.lower())
    counts = Counter(words)
    print(f"{len(words)} words, {len(counts)} different")

    # Ties are broken by the alphabet, so the output is the same every time.
    ranking = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for word, count in ranking[:8]:
        print(f"{word:>8} {count:3} {'#' * count}")


if __name__ == "__main__":
    main()
