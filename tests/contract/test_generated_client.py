"""A client that a generator makes of the OpenAPI document has every operation, and works."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.application import Application
from tests.seed import PASSWORD

PACKAGE = "opsboard_client"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def generated(app: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the generator's output; the package it made can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(app.flask.test_client().get("/api/openapi.json").json))
    # No hooks: they would format the code with whatever is installed.
    (folder / "config.yaml").write_text(f"post_hooks: []\npackage_name_override: {PACKAGE}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "openapi-python-client", "generate", "--path", "openapi.json",
         "--config", "config.yaml", "--meta", "none", "--output-path", PACKAGE],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield done.stdout + done.stderr
    sys.path.remove(str(folder))


def operation(area: str, name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.api.{area}.{name}")


def test_nothing_is_left_out(app: Application, generated: str) -> None:
    assert "WARNING" not in generated and "Unable" not in generated, generated
    package = Path(str(importlib.import_module(PACKAGE).__file__)).parent
    made = {file.stem for file in package.glob("api/*/*.py")} - {"__init__"}
    document: Any = app.flask.test_client().get("/api/openapi.json").json
    assert made == {
        operation["operationId"] for item in document["paths"].values() for operation in item.values()
    }


@pytest.mark.usefixtures("generated")
def test_the_client_reads_writes_and_is_told_what_is_wrong(own_app: Application) -> None:
    client_of, models = importlib.import_module(PACKAGE), importlib.import_module(f"{PACKAGE}.models")
    transport = {"transport": httpx.WSGITransport(app=own_app.flask)}
    address = "http://opsboard.example"
    stranger = client_of.Client(base_url=address, httpx_args=transport)
    credentials = models.Credentials(email=own_app.alpha.email("admin"), password=PASSWORD)
    token = operation("sign_in", "post_auth_login").sync(client=stranger, body=credentials)
    client = client_of.AuthenticatedClient(base_url=address, token=token.access_token, httpx_args=transport)

    job = operation("jobs", "post_jobs_create_job").sync(
        client=client, body=models.NewJobWithSteps(title="A job")
    )
    assert isinstance(job, models.Job) and job.title == "A job"
    jobs = operation("jobs", "get_jobs_list_jobs")
    page = jobs.sync(client=client, page_size=3)
    assert isinstance(page, models.Jobs) and len(page.items) == 3
    some = jobs.sync(client=client, page_size=3, fields=[next(iter(models.GetJobsListJobsFieldsItem))])
    assert isinstance(some, models.JobsSelection) and len(some.items) == 3
    assert isinstance(operation("settings", "get_settings_get_settings").sync(client=client), models.Settings)
    problem = operation("jobs", "get_jobs_get_job").sync(client=client, job_id=999_999_999)
    assert isinstance(problem, models.Problem) and problem.code == "not_found"
