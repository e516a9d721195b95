"""Builds media."""

from datetime import timedelta

from fairground.contracts.media import Images, PictureForms, PictureMaintenance, Pictures
from fairground.modules.media import http
from fairground.modules.media.gateways import Clamd
from fairground.modules.media.service.images import ImageService, Monograms
from fairground.modules.media.service.pictures import (
    DropLeftovers,
    OwnPictures,
    PictureMaintenanceService,
    PictureService,
)
from fairground.modules.media.service.renditions import PictureRendering, RenderPicture, Renditions, Variants
from fairground.modules.media.service.uploads import Originals, Uploads, UploadStats
from fairground.modules.media.settings import MediaSettings
from fairground.modules.media.tables import history
from fairground.platform.images.settings import ImageSettings
from fairground.platform.module import Links, Module, Schedule
from fairground.platform.storage.settings import StorageSettings
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, files, renderer = runtime.db, runtime.files, runtime.renderer
    settings, stats = runtime.settings.of(MediaSettings), UploadStats()
    uploads = _build_uploads(runtime, settings, stats)
    renditions = Renditions(files, renderer)
    rendering = PictureRendering(db, renditions)
    cdn_url = runtime.settings.of(StorageSettings).cdn_url
    variants = Variants(db=db, files=files, renditions=renditions, cdn_url=cdn_url)
    pictures = PictureService(uploads=uploads, own=OwnPictures(db, files))
    maintenance = PictureMaintenanceService(db, files, leftover_lifetime=settings.leftover_lifetime)
    links.provide(Pictures, pictures)
    links.provide(PictureForms, uploads)
    links.provide(Images, ImageService(variants=variants, monograms=Monograms(renderer)))
    links.provide(PictureMaintenance, maintenance)
    return Module(
        name="media",
        history=history,
        routers=[http.routes(pictures, uploads)],
        handlers={RenderPicture: rendering.on_render_picture, DropLeftovers: maintenance.on_drop_leftovers},
        schedules=[Schedule(job=DropLeftovers(), every=timedelta(hours=1))],
        referrers=[maintenance],
        measure=lambda: [*stats.measure(), *renderer.measure()],
    )


def _build_uploads(runtime: Runtime, settings: MediaSettings, stats: UploadStats) -> Uploads:
    max_bytes, spool = runtime.settings.of(ImageSettings).upload_bytes, runtime.incoming_dir
    scanner = Clamd(settings.clamd) if settings.clamd else None
    return Uploads(
        db=runtime.db,
        files=runtime.files,
        limiter=runtime.limiter,
        originals=Originals(runtime.files, spool=spool, max_bytes=max_bytes, scanner=scanner),
        settings=settings,
        stats=stats,
        spool=spool,
        max_bytes=max_bytes,
    )
