"""Cuts the sample recordings from the MIT-BIH Arrhythmia Database: `python make.py MITDB_FOLDER`.

Five minutes each, both leads, format 212 as in the original; checksums and first values are those of the piece.
"""
import pathlib
import sys

RATE = 360
PIECES = {"100": 0, "200": 0, "105": 1020}  # record: first second


def samples(frame):
    """The two 12-bit values of three bytes."""
    first = frame[0] | (frame[1] & 0x0F) << 8
    second = frame[2] | (frame[1] & 0xF0) << 4
    return [value - 4096 if value > 2047 else value for value in (first, second)]


source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
for record, start in PIECES.items():
    count = 300 * RATE
    piece = (source / f"{record}.dat").read_bytes()[3 * start * RATE:][:3 * count]
    values = [samples(piece[i:i + 3]) for i in range(0, len(piece), 3)]
    lines = (source / f"{record}.hea").read_text().splitlines()
    header = [f"{record}s 2 {RATE} {count}"]
    for lead in (0, 1):
        fields = lines[1 + lead].split()
        total = sum(value[lead] for value in values) & 0xFFFF
        checksum = total - 0x10000 if total > 0x7FFF else total
        fields[0], fields[5], fields[6] = f"{record}s.dat", str(values[0][lead]), str(checksum)
        header.append(" ".join(fields))
    (here / f"{record}s.hea").write_text("\n".join(header) + "\n")
    (here / f"{record}s.dat").write_bytes(piece)
