from collections.abc import AsyncIterator

import pytest

from integrations.media.cleaner import MediaCleaner


@pytest.fixture(scope="session")
async def cleaner() -> AsyncIterator[MediaCleaner]:
    async with MediaCleaner() as ready:
        yield ready
