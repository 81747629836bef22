# Date arithmetic: leap years, the Fridays that fall on a 13th, days between two dates.
import calendar
from datetime import date, timedelta


def friday_the_thirteenths(year: int) -> list[date]:
    candidates = (date(year, month, 13) for month in range(1, 13))
    return [day for day in candidates if day.weekday() == calendar.FRIDAY]


def main() -> None:
    leap = [year for year in range(1990, 2031) if calendar.isleap(year)]
    print("leap years:", ", ".join(map(str, leap)))

    for year in (2023, 2024, 2026):
        days = ", ".join(day.strftime("%d %b") for day in friday_the_thirteenths(year))
        print(f"{year}: {days}")

    start, end = date(1969, 7, 20), date(2000, 1, 1)
    print(f"{start} to {end}: {(end - start).days} days")
    print("100 days after leap day:", date(2024, 2, 29) + timedelta(days=100))


if __name__ == "__main__":
    main()
