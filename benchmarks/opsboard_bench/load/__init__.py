"""The load generator: standard library only, a process of its own that carries nothing of the service.

    PYTHONPATH=<the folder above> python -S -m load < job.json > figures.json

Its modules import each other relatively, because here the package has the name `load`.
"""
