"""Every task that there is."""

from __future__ import annotations

from benchmarks.bulk import bulk_tasks
from benchmarks.data import Data
from benchmarks.files import gridfs_tasks, parallel_tasks
from benchmarks.tasks import (
    Task,
    bson_tasks,
    crowded_tasks,
    multi_document_tasks,
    single_document_tasks,
)


def all_tasks(data: Data) -> list[Task]:
    """In the order of the specification; those of our own come last."""
    return [
        *bson_tasks(data.bson),
        *single_document_tasks(data.document),
        *multi_document_tasks(data.document),
        *bulk_tasks(data),
        *gridfs_tasks(data),
        *parallel_tasks(data),
        *crowded_tasks(data.document),
    ]
