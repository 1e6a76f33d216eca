"""The shapes of the answers about customers."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.features.shapes import JobStatus
from opsboard.web.schemas import Envelope


class Customer(BaseModel):
    id: int
    name: str
    email: str | None
    phone: str | None
    address: str | None
    own_fields: dict[str, str] | None
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Customers(Envelope):
    items: list[Customer]


class JobOfCustomer(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus


class JobsOfCustomer(BaseModel):
    total: int
    recent: list[JobOfCustomer]
    link: str


class CustomerWithJobs(Customer):
    jobs: JobsOfCustomer
