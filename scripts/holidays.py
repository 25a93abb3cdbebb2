#!/usr/bin/env python3
"""Writes data/holidays.txt, the table of public holidays that is embedded in the binary.

    python3 -m venv venv && venv/bin/pip install holidays==0.109
    venv/bin/python scripts/holidays.py > data/holidays.txt

The facts (dates by ISO 3166 country and subdivision, substitute days included) come from the
PyPI project `holidays`. A new release of it is taken over by changing PINNED here and
TABLE_VERSION in src/calendar/holidays.rs; the difference of the table is there to be read.
"""

import re
import sys
import warnings

# This file is named like the package: its own folder must not be searched for it.
sys.path.pop(0)
import holidays  # noqa: E402

PINNED = "0.109"
FIRST, LAST = 2010, 2045

HEADER = """\
# Public holidays by ISO 3166 country and subdivision, substitute days included.
# Written by scripts/holidays.py; never edited by hand.
# source: holidays {pinned} (PyPI), category public
# years: {first}-{last}
# Days that hang on the sight of the moon are the source's estimates until they are announced.
#
# A section per code: `CODE FIRST-LAST`, the years its source vouches for, then the days as MMDD:
# those of all these years after `*`, the others by year. `CODE FIRST-LAST < BASE` gives the
# differences from the section of BASE, a day that is taken away with a `-`. `CODE = OTHER`: the same.
"""


def years_of(entity, subdivision):
    """The years for which the source vouches, cut to ours: its bounds and those it warns of."""
    first, last = max(FIRST, entity.start_year), min(LAST, entity.end_year)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        entity_of(entity, subdivision, range(first, last + 1))
    for warning in caught:
        bounds = re.search(r"available only from (\d+) to (\d+)", str(warning.message))
        if not bounds:
            raise SystemExit(f"{entity.country} {subdivision}: {warning.message}")
        first, last = max(first, int(bounds[1])), min(last, int(bounds[2]))
    return first, last


def entity_of(entity, subdivision, years):
    return holidays.country_holidays(
        entity.country, subdiv=subdivision, years=years, categories=(holidays.PUBLIC,)
    )


def days_of(entity, subdivision):
    """(first year, last year, dates). A substitute day may be made by the year after or before."""
    first, last = years_of(entity, subdivision)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = entity_of(entity, subdivision, range(first - 1, last + 2))
    return first, last, frozenset(day for day in found if first <= day.year <= last)


def lines_of(first, last, added, removed):
    """The lines of a section: what all years share, then what is special to each."""
    years = range(first, last + 1)
    by_year = {
        year: {f"{d:%m%d}" for d in added if d.year == year}
        | {f"-{d:%m%d}" for d in removed if d.year == year}
        for year in years
    }
    shared = set.intersection(*by_year.values())
    lines = ["* " + " ".join(written(shared))] if shared else []
    for year in years:
        own = by_year[year] - shared
        if own:
            lines.append(f"{year} " + " ".join(written(own)))
    return lines


def written(days):
    return sorted(days, key=lambda day: (day.lstrip("-"), day))


def section(code, sets, base):
    """The shortest way to write the set of `code`."""
    first, last, days = sets[code]
    for other in sets:
        if other == code:
            break
        if other.split("-")[0] == code.split("-")[0] and sets[other] == sets[code]:
            return [f"{code} = {other}"]
    plain = [f"{code} {first}-{last}"] + lines_of(first, last, days, ())
    if base is None or sets[base][:2] != (first, last):
        return plain
    shared = sets[base][2]
    derived = [f"{code} {first}-{last} < {base}"]
    derived += lines_of(first, last, days - shared, shared - days)
    return min(plain, derived, key=lambda lines: len("\n".join(lines)))


def main():
    if holidays.__version__ != PINNED:
        raise SystemExit(f"holidays {holidays.__version__} is installed, {PINNED} is pinned")
    print(HEADER.format(pinned=PINNED, first=FIRST, last=LAST), end="")
    supported = holidays.list_supported_countries(include_aliases=False)
    for country in sorted(supported):
        entity = getattr(holidays, country)
        # Names beside ISO 3166-2 (school zones, cities) are left out.
        codes = {country: None} | {
            f"{country}-{name}": name
            for name in sorted(supported[country])
            if re.fullmatch(r"[A-Z0-9]{1,3}", name)
        }
        sets = {code: days_of(entity, name) for code, name in codes.items()}
        for code in codes:
            if not sets[code][2]:
                print(f"{code}: no holidays, left out", file=sys.stderr)
                continue
            print("\n" + "\n".join(section(code, sets, None if code == country else country)))


if __name__ == "__main__":
    main()
