"""Prints the settings of the gunicorn.conf.py it is given, without the hooks that only the service understands.

python service_settings.py gunicorn.conf.py
"""

import json
import runpy
import sys

SIMPLE = (str, int, float, bool, dict, type(None))

if __name__ == "__main__":
    settings = runpy.run_path(sys.argv[1])
    print(
        json.dumps(
            {name: value for name, value in settings.items() if isinstance(value, SIMPLE) and name[0] != "_"}
        )
    )
