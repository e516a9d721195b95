"""Builds media."""

from datetime import timedelta

from fairground.contracts.media import Faces, PictureCare, PictureForms, Pictures, Placements
from fairground.modules.media.gateways.clamd import Clamd
from fairground.modules.media.http import bringing, showing
from fairground.modules.media.metrics import measure_pictures
from fairground.modules.media.service.avatars import Avatars
from fairground.modules.media.service.forms import FormIntake
from fairground.modules.media.service.inspecting import PictureInspector
from fairground.modules.media.service.intake import Intake
from fairground.modules.media.service.jobs import DropLeftovers, RenderPicture
from fairground.modules.media.service.pictures import PictureService
from fairground.modules.media.service.referring import MediaReferrer
from fairground.modules.media.service.rendering import Rendering
from fairground.modules.media.service.variants import Variants
from fairground.modules.media.settings import MediaSettings
from fairground.modules.media.tables import history
from fairground.platform.images.settings import ImageSettings
from fairground.platform.images.stats import PictureStats
from fairground.platform.links import Links
from fairground.platform.module import Module, Schedule
from fairground.platform.storage.settings import StorageSettings
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, files, renderer, limiter = runtime.db, runtime.files, runtime.renderer, runtime.limiter
    spool, stats = runtime.incoming_dir, PictureStats()
    upload_max_bytes = runtime.settings.of(ImageSettings).upload_bytes
    cdn_url = runtime.settings.of(StorageSettings).cdn_url
    settings = runtime.settings.of(MediaSettings)
    scanner = Clamd(settings.clamd) if settings.clamd else None
    pictures = PictureService(
        db=db,
        files=files,
        limiter=limiter,
        intake=Intake(files, spool=spool, max_bytes=upload_max_bytes, scanner=scanner),
        max_bytes=upload_max_bytes,
        settings=settings,
        stats=stats,
    )
    rendering = Rendering(db=db, files=files, renderer=renderer)
    variants = Variants(
        db=db, files=files, rendering=rendering, cdn_url=cdn_url, placements=lambda: links.of(Placements)
    )
    forms = FormIntake(pictures, spool=spool)
    # Both links are looked up when a picture is asked for: the module that answers them is built after this one.
    avatars = Avatars(variants=variants, renderer=renderer, faces=lambda: links.of(Faces))
    links.provide(Pictures, pictures)
    links.provide(PictureForms, forms)
    links.provide(PictureCare, PictureInspector(db, files))
    return Module(
        name="media",
        history=history,
        routers=[bringing.routes(pictures, forms), showing.routes(variants, avatars, stats=stats)],
        handlers={RenderPicture: rendering.on_render_picture, DropLeftovers: pictures.on_drop_leftovers},
        schedules=[Schedule(job=DropLeftovers(), every=timedelta(hours=1))],
        referrers=[MediaReferrer(db)],
        measure=lambda: measure_pictures(stats, renderer),
    )
