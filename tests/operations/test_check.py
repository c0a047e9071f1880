"""`check`: what a key may do and where, in both colours and dialects, on the embedded registry over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from luml_lite import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
    ResourceNotFoundError,
    Response,
    local,
)
from luml_lite.config import Dialect
from luml_lite.testing import Scripted

from ..sync_async import SYNC_ASYNC

MISSING = "00000000-0000-7000-8000-000000000000"
each_mode = pytest.mark.parametrize("mode", SYNC_ASYNC)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.Served]:
    """A registry over HTTP."""
    with local.serve(tmp_path_factory.mktemp("registry")) as made:
        yield made


@each_mode
@pytest.mark.parametrize("dialect", ["artifacts", "model_artifacts"])
def test_the_places_are_found_by_id_by_name_and_alone(mode: str, dialect: Dialect, served: local.Served) -> None:
    by_id = served.config.replace(dialect=dialect)
    by_name = by_id.replace(organization="Local", orbit="Local", collection="Local")
    alone = by_id.replace(organization=None, orbit=None, collection=None)
    for cfg in (by_id, by_name, alone):
        found = SYNC_ASYNC[mode].check(cfg)
        places = tuple(getattr(found, kind).id for kind in ("organization", "orbit", "collection"))
        assert places == (by_id.organization, by_id.orbit, by_id.collection)
        words = str(found)
        assert words.startswith("the key works, organization 'Local' as owner, orbit 'Local'")
        is_told = "artifact: list/read/create/update/delete" in words
        assert is_told == (dialect == "artifacts")  # older servers do not say that of one orbit
        assert "collection 'Local'" in words
        assert "\n" not in words + repr(found)
        assert served.api_key not in words + repr(found)


@each_mode
@pytest.mark.parametrize("dialect", ["artifacts", "model_artifacts"])
def test_a_key_or_a_place_that_is_wrong_is_an_error(mode: str, dialect: Dialect, served: local.Served) -> None:
    check, cfg = SYNC_ASYNC[mode].check, served.config.replace(dialect=dialect)
    with pytest.raises(AuthenticationError):
        check(cfg.replace(api_key="dfs_wrong"))
    with pytest.raises(ConfigurationError):
        check(cfg.replace(api_key=""))
    with pytest.raises(ResourceNotFoundError, match="Nowhere"):
        check(cfg.replace(orbit="Nowhere"))
    with pytest.raises(NotFoundError, match="Collection not found"):
        check(cfg.replace(collection=MISSING))
    with pytest.raises(PermissionDeniedError):
        check(cfg.replace(organization=MISSING))


@each_mode
def test_the_page_of_a_proxy_validates_no_key(mode: str, served: local.Served) -> None:
    script = Scripted([Response(200, {}, b"<html>")])
    with pytest.raises(DecodeError):
        SYNC_ASYNC[mode].check(served.config.replace(transport=script))
