"""Reads a job from standard input, does it, and writes its figures."""

from __future__ import annotations

import gc
import json
import os
import sys
from dataclasses import asdict

from .answers import WrongAnswer
from .jobs import Job, run


def main() -> None:
    job = Job(**json.load(sys.stdin))
    if job.cores:
        os.sched_setaffinity(0, job.cores)
    # Nothing here makes cycles; a collection would only be an outlier of the client's own making.
    gc.disable()
    try:
        json.dump(asdict(run(job)), sys.stdout)
    except (WrongAnswer, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
