"""What media counts of pictures."""

from collections.abc import Iterator

from fairground.platform.images.renderer import Renderer
from fairground.platform.images.stats import PictureStats
from fairground.platform.measures import Counted, Gauged, Measure, Timed


def measure_pictures(stats: PictureStats, renderer: Renderer) -> Iterator[Measure]:
    yield Counted(
        "image_requests",
        "Requests for pictures past memory by how they ended:"
        " kept, rendered, not_modified, redirected, refused, busy, failed.",
        [((outcome.value,), count) for outcome, count in list(stats.shown.items())],
        labels=("outcome",),
    )
    yield Counted("image_bytes", "Bytes of pictures in answers.", [((), stats.shown_bytes)])
    yield Counted(
        "picture_uploads",
        "Pictures that were brought: taken, or the code that they were refused with.",
        [((outcome,), count) for outcome, count in list(stats.brought.items())],
        labels=("outcome",),
    )
    yield Timed(
        "image_render_duration_seconds",
        "How long rendering took, the wait in the queue included; of what was rendered.",
        [((), renderer.stats.durations)],
    )
    yield Counted(
        "image_render_failures",
        "Pictures that were not rendered, by the code of the problem; those refused for a full queue among them.",
        [((code,), count) for code, count in list(renderer.stats.failed.items())],
        labels=("code",),
    )
    yield Counted(
        "image_renders_joined",
        "Requests that waited for the rendering of another one.",
        [((), renderer.stats.joined)],
    )
    yield Counted(
        "image_children_started", "Child processes started to render.", [((), renderer.stats.children_started)]
    )
    yield Gauged("image_renders_waiting", "Pictures that wait for a child process.", renderer.waiting)
