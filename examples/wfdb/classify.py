"""Classifies a WFDB record: `classify.py URL RECORD`, with the key in EINTHOVEN_KEY."""

import sys
from collections import Counter

from einthoven_client import Einthoven, record

url, name = sys.argv[1:]
with Einthoven(url) as client:
    answer = client.classify(record(name))
rate = answer.summary.rate
print(f"{answer.recording.name}: {len(answer.beats)} beats, {rate.mean_bpm:.0f} per minute, lead {answer.lead}")
for label, count in sorted(Counter(beat.class_ or "unreadable" for beat in answer.beats).items()):
    print(f"  {label} {count}")
