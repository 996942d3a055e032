"""bench: helper. lang_site.py FOLDER DEVICES PROGRAMS RULES [own]: writes a site of stations with a valve each
and of programs with RULES rules, as a plant of many equal cells would have them.

Half of the devices are stations, half are their valves. A program looks after five cells; with `own`, after
one, and then there is a program for each cell. Sources stay below the language's limit of 1 MiB."""

import pathlib
import random
import sys

SOURCE_MAX = 900_000

MODELS = '''site "bench"

server {
  mqtt 127.0.0.1:1883
  http 127.0.0.1:8080
  store "data"
}

model Station {
  property temperature: °C  range -20..200
  property vibration: mm/s  range 0..50
  event jam
}
model Valve {
  property position: %  range 0..100
  action open()  confirms position > 90 %
  action close() confirms position < 5 %
  safe close()
}

fn shown(temp: °C) -> str { return "{temp}" }
fn worse(a: K, b: K) -> bool { return abs(a) > abs(b) }
'''

# Rules of a cell: {c} is its number in the program, {t} and {s} a threshold and seconds of its own.
RULES = (
    "  when temp{c} > {t} °C for {s}s {{\n    cool{c}.open()\n  }} until temp{c} < {t} °C - 8 K for 5s {{ cool{c}.close() }}\n",
    "  when vib{c} > {v} mm/s for {s}s {{ alert warning \"{{name{c}}} vibrates at {{vib{c}}}\"; trips = trips + 1 }}\n",
    "  when temp{c} > {t} °C + 15 K and vib{c} > {v} mm/s {{\n    alert critical \"{{name{c}}} is at {{shown(temp{c})}}\"\n  }}\n",
    "  when stale temp{c} {{ alert critical \"{{name{c}}} lost its thermometer\" }}\n",
    "  when temp{c} > limit + {s} K or vib{c} > {v} mm/s * 1.5 {{ hot = hot + 1 }}\n",
    "  when worse(temp{c} - limit, {s} K) and not (vib{c} < 0.1 mm/s) for 1min {{ hot = hot + 1 }}\n",
    "  when temp{c} - limit > {t} K {{ peak = min(temp{c} - limit, {t} K) }}\n",
)


def program(index, cells, rules, rng):
    lines = [f"program watch{index} {{\n  let limit = {rng.randint(60, 90)} °C\n  var trips = 0\n  var hot = 0\n"
             "  var peak = 0 K\n"]
    for c, cell in enumerate(cells):
        lines.append(f"  own  cool{c}: Valve = {cell}.coolant\n"
                     f"  read temp{c}: °C = {cell}.temperature stale 30s\n"
                     f"  read vib{c}: mm/s = {cell}.vibration stale 30s\n"
                     f"  let name{c} = \"{cell}\"\n")
    for r in range(rules):
        lines.append(RULES[r % len(RULES)].format(c=r % len(cells), t=rng.randint(70, 120), s=rng.randint(1, 9),
                                                  v=round(rng.uniform(5, 9), 1)))
    lines.append("}\n\n")
    return "".join(lines)


def sources(devices, programs, rules, own):
    rng = random.Random(1)
    yield MODELS
    cells = [f"plant.hall{i // 100}.cell{i}" for i in range(devices // 2)]
    for i, cell in enumerate(cells):
        yield (f"device {cell}: Station {{ id \"urn:station:{i}\"; via mqtt \"hall{i // 100}/cell{i}\" json }}\n"
               f"device {cell}.coolant: Valve {{ id \"urn:valve:{i}\"; via mqtt \"hall{i // 100}/cell{i}/coolant\" json }}\n")
    each = 1 if own else 5
    for p in range(programs):
        yield program(p, cells[p * each:(p + 1) * each], rules, rng)


def write_site(folder, devices, programs, rules, own=False):
    """Writes the sources; how many bytes they have."""
    each = 1 if own else 5
    if programs * each * 2 > devices:
        raise ValueError("more programs than cells")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files, part, size, total = 0, [], 0, 0

    def close():
        nonlocal files, part, size
        (folder / f"part{files:03}.sedge").write_text("".join(part))
        files, part, size = files + 1, [], 0

    for text in sources(devices, programs, rules, own):
        n = len(text.encode())
        if size + n > SOURCE_MAX:
            close()
        part.append(text)
        size += n
        total += n
    close()
    return total


if __name__ == "__main__":
    write_site(sys.argv[1], *map(int, sys.argv[2:5]), own=sys.argv[5:] == ["own"])
