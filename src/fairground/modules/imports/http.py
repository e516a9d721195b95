"""Routes that make embedded pictures into files, for staff."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from fairground.contracts.imports import EmbeddedPictures, MigrationNotFound, PictureMigration, PictureSubject
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


def routes(pictures: EmbeddedPictures) -> APIRouter:
    router = api_router(tags=["operations"])

    async def start(subject: PictureSubject, caller: Caller, response: Response) -> PictureMigration:
        run = await pictures.start_migration(subject=subject, actor=caller.user_id)
        response.headers["Location"] = f"/api/v1/ops/picture-migrations/{run.id}"
        return run

    @router.post("/ops/migrate-service-media-to-files", status_code=HTTPStatus.ACCEPTED)
    async def migrate_service_media(caller: Staff, response: Response) -> PictureMigration:
        """Convert embedded pictures of imported services to files; `Location` has the URL of the run.

        Runs in the background. A request during a run returns that run.
        """
        return await start(PictureSubject.SERVICE_MEDIA, caller, response)

    @router.post("/ops/migrate-profile-images-to-files", status_code=HTTPStatus.ACCEPTED)
    async def migrate_profile_images(caller: Staff, response: Response) -> PictureMigration:
        """Convert embedded portraits and portfolio pictures of imported providers to files."""
        return await start(PictureSubject.PROFILE_IMAGES, caller, response)

    @router.get("/ops/picture-migrations/{migration_id}")
    @refuses(MigrationNotFound)
    async def get_picture_migration(migration_id: UUID, _caller: Staff) -> PictureMigration:
        """Get the progress of a run. It has ended when `finished_at` is set."""
        return await pictures.get_migration(migration_id=migration_id)

    return router
