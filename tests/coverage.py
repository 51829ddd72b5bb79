"""Tables of coverage.sh.

    coverage.py ALL.json OWN.json LIST.txt     of gcovr; what is not reached goes into the list
"""
import collections
import json
import sys

MARK = 95  # per cent


def read(path):
    """Per file: lines [(number, count, [branch counts])]; a line of a kernel counts in all its builds."""
    files = {}
    with open(path) as file:
        for entry in json.load(file)["files"]:
            lines = collections.defaultdict(lambda: [0, []])
            for line in entry["lines"]:
                if line.get("gcovr/noncode"):
                    continue
                held = lines[line["line_number"]]
                held[0] += line["count"]
                counts = [branch["count"] for branch in line["branches"]]
                held[1] = [a + b for a, b in zip(held[1], counts)] if len(held[1]) == len(counts) else counts
            files[entry["file"]] = lines
    return files


def sums(lines, own):
    """Lines, branches, own branches: (reached, all) each."""
    branches = [count for _, counts in lines.values() for count in counts]
    mine = [count for _, counts in own.values() for count in counts]
    return [(sum(1 for count, _ in lines.values() if count), len(lines)),
            (sum(map(bool, branches)), len(branches)), (sum(map(bool, mine)), len(mine))]


def row(name, parts):
    print(f"{name:34}" + "".join(f"{done:9} of {n:5} {100 * done / n if n else 100:5.1f} %" for done, n in parts))


def add(parts):
    return [tuple(map(sum, zip(*column))) for column in zip(*parts)]


def main(all_path, own_path, list_path):
    everything, own = read(all_path), read(own_path)
    part = {name: sums(lines, own[name]) for name, lines in sorted(everything.items())}
    rooms = collections.defaultdict(list)
    for name, parts in part.items():
        rooms[name.split("/")[1]].append(parts)
    head = f"{'':34}{'lines':>23}{'branches, all':>24}{'branches, own':>24}"
    print(head)
    for name, parts in part.items():
        row(name, parts)
    print(head)
    for room, parts in sorted(rooms.items()):
        row(room, add(parts))
    row("all", add(part.values()))
    print(f"\nbranches, own, are to be above {MARK} %:")
    whole = {room: add(parts) for room, parts in rooms.items()}
    for name, parts in (("store", whole.get("store")), ("src/store/checkpoint.c", part.get("src/store/checkpoint.c")),
                        ("src/store/lock.c", part.get("src/store/lock.c")), ("options", whole.get("options"))):
        done, n = parts[2] if parts else (0, 0)
        share = 100 * done / n if n else 0
        print(f"{name:34}{share:5.1f} %  {'reached' if share > MARK else 'MISSED'}")
    with open(list_path, "w") as file:
        for name, lines in sorted(own.items()):
            for at, (count, branches) in sorted(lines.items()):
                if not count:
                    print(f"{name}:{at}: line", file=file)
                elif not all(branches):
                    print(f"{name}:{at}: {branches.count(0)} of {len(branches)} branches", file=file)


main(*sys.argv[1:])
