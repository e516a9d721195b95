"""Builds what surrounds the file store: its routes and the collection of orphans."""

from datetime import timedelta
from pathlib import Path

from fairground.platform.module import Module, Schedule
from fairground.platform.storage import http
from fairground.platform.storage.orphans import CollectOrphans, OrphanCollector
from fairground.platform.storage.store import Store


def build(store: Store, collector: OrphanCollector, *, incoming_dir: Path) -> Module:
    return Module(
        name="storage",
        pages=[http.routes(store, spool=incoming_dir)],
        handlers={CollectOrphans: collector.on_collect_orphans},
        schedules=[Schedule(CollectOrphans(), every=timedelta(hours=1))],
        stop=store.close,
    )
